//! The transport without the game, for suites written by others.
//!
//! `cargo run --example conformance -- --profile NAME --port N` serves one
//! profile on 127.0.0.1 until it is killed, and says so on a line of its own.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use tokio::net::TcpListener;

use cardroom::transport::websocket::ReadLimits;

mod client;
mod engine;
mod engineclient;
mod engineio;
mod json;
mod socketio;
mod websocket;

type Serve = fn(TcpListener) -> Pin<Box<dyn Future<Output = ()>>>;

/// Each profile is a file that serves a listener for good.
const PROFILES: &[(&str, Serve)] = &[
    ("client", |listener| Box::pin(client::serve(listener))),
    ("engineclient", |listener| Box::pin(engineclient::serve(listener))),
    ("engineio", |listener| Box::pin(engineio::serve(listener))),
    ("socketio", |listener| Box::pin(socketio::serve(listener))),
    ("websocket", |listener| Box::pin(websocket::serve(listener, AUTOBAHN_LIMITS))),
];

/// What the cases of the Autobahn suite need: 16 MiB, and 4 MiB by 64 bytes.
const AUTOBAHN_LIMITS: ReadLimits =
    ReadLimits { message_bytes_max: 16 << 20, fragments_max: 1 << 16 };

#[derive(Parser)]
struct Arguments {
    #[arg(long, value_parser = PossibleValuesParser::new(PROFILES.iter().map(|(name, _)| *name)))]
    profile: String,
    /// 0 lets the system choose one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

// One thread: suites send requests side by side and expect them to be met in that order.
#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "the caller reads the port from there")]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    let listener = cardroom::server::bind(address, 1024)?;
    println!("listening on {}", listener.local_addr()?);

    let profile = PROFILES.iter().find(|(name, _)| *name == arguments.profile);
    let (_, serve) = profile.expect("clap accepts only names of the table");
    serve(listener).await;
    Ok(())
}
