//! Engine.IO v4: packets, payloads, the handshake and the life of a connection.
//!
//! <https://github.com/socketio/engine.io-protocol>, revision 4.

mod engine;
mod error;
mod handshake;
mod packet;
mod payload;

pub use engine::{Engine, Input, Outlet, Output, PollAnswer, Timing, UpgradePacket};
pub use error::HandshakeError;
pub use handshake::{Admitted, Open, Request, TransportName, Whereabouts, admit};
pub use packet::{PacketType, split_packet};
pub use payload::{Payload, PayloadPacket};
