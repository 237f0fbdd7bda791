//! One task per Engine.IO connection: it drives the protocol and talks to an [`App`].
//!
//! This layer knows no poker and no HTTP server. `transport` brings it
//! requests ([`Connection::poll`], [`Connection::post`]) and WebSockets
//! ([`Link`]); the task decides everything else:
//!
//! ```text
//!   HTTP ──requests──┐                        ┌── connect, event, disconnect ──▶ App
//!   Link ──messages──┼──▶ task: Engine ──▶ Socket.IO
//!   clock ───────────┘      │
//!   rooms, sockets ──▶ outbox ──▶ parked poll, or Link
//! ```

mod admission;
mod app;
mod chatter;
mod connections;
mod crowd;
mod earlier;
mod handle;
mod handshake;
mod layer;
mod link;
mod options;
mod pace;
mod rate;
mod requests;
mod socket;
mod task;

#[cfg(test)]
mod tests;

pub use admission::{AdmissionLimits, Place, Refused};
pub use app::{
    App, ConnectRejected, ConnectRequest, Earlier, EngineApp, EngineMessage, Pid, Progress,
};
pub use chatter::Chatter;
pub use connections::{Connections, Upper};
pub use crowd::{Crowd, Member};
pub use handle::{Connection, Unavailable};
pub use handshake::Handshake;
pub use link::{Incoming, Link};
pub use options::Options;
pub use pace::PaceLimits;
pub use requests::{PollReply, Post, PostReply};
pub use socket::{AckArguments, AckError, EngineSocket, Socket};

pub use crate::identity::Origins;
