//! Profile `engineio`: an echo on bare Engine.IO.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::net::TcpListener;

use cardroom::connection::{
    Connections, EngineApp, EngineMessage, EngineSocket, Options, Progress, Upper,
};
use cardroom::protocol::Encoded;

use super::engine;

pub(crate) async fn serve(listener: TcpListener) {
    let options = Options {
        path: "/engine.io/".to_owned(),
        ping_interval: Duration::from_millis(300),
        ping_timeout: Duration::from_millis(200),
        ..Options::default()
    };
    engine::serve(listener, connections(options)).await;
}

pub(crate) fn connections(options: Options) -> Connections {
    Connections::new(options, upper())
}

pub(crate) fn upper() -> Upper {
    Upper::EngineIo(Arc::new(Echo))
}

struct Echo;

impl EngineApp for Echo {
    fn message(&self, socket: &EngineSocket, message: EngineMessage, _: &HeaderMap) -> Progress {
        let _ = socket.send(encode(&message));
        Progress::Done
    }
}

pub(crate) fn encode(message: &EngineMessage) -> Encoded {
    match message {
        EngineMessage::Text(text) => Encoded::message(text),
        EngineMessage::Binary(bytes) => Encoded::binary_message(bytes),
    }
}
