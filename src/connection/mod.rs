//! One task per Engine.IO connection: it drives the protocol and talks to an [`App`].
//!
//! This layer knows no poker and no HTTP server; `transport` brings it
//! requests and WebSockets.

mod app;
mod handshake;
mod options;
mod socket;

pub use app::{App, ConnectRejected, ConnectRequest, EngineApp, EngineMessage, Progress};
pub use handshake::Handshake;
pub use options::{Options, Origins};
pub use socket::{AckArguments, AckError, EngineSocket, Socket};
