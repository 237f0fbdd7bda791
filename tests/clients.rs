//! The unmodified clients from npm, over each choice of transports.

use std::future::Future;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpListener;

use cardroom::connection::Options;

use crate::conformance::{client, engineclient};
use crate::support::app::Scripted;
use crate::support::eio::patient;
use crate::support::node;

const TRANSPORTS: [&str; 3] = ["websocket", "polling", "polling,websocket"];

fn serve<F: Future<Output = ()> + Send + 'static>(profile: fn(TcpListener) -> F) -> String {
    let listener =
        cardroom::server::bind((Ipv4Addr::LOCALHOST, 0).into(), 64).expect("a port is free");
    let address = listener.local_addr().expect("listener is bound");
    tokio::spawn(profile(listener));
    format!("http://{address}")
}

#[tokio::test]
async fn socket_io_client_talks_to_the_client_profile() {
    let url = serve(client::serve);
    for transports in TRANSPORTS {
        node::run("echo.mjs", &[&url, transports]).await;
    }
}

#[tokio::test]
async fn socket_io_client_hears_how_things_end() {
    // A machine that is busy may be late by more than a few hundred milliseconds.
    let options = Options {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_secs(20),
        ..patient()
    };
    let app = Scripted::serve(options);
    let url = format!("http://{}", app.server);
    for transports in TRANSPORTS {
        node::run("ends.mjs", &[&url, transports]).await;
    }
}

#[tokio::test]
async fn engine_io_client_talks_to_the_engineclient_profile() {
    let url = serve(engineclient::serve);
    for transports in TRANSPORTS {
        node::run("engine.mjs", &[&url, transports]).await;
    }
}
