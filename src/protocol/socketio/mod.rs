//! Socket.IO v5: packets, and what one client has joined.
//!
//! <https://github.com/socketio/socket.io-protocol>, revision 5.

mod acks;
mod attachments;
mod client;
mod json;
mod packet;

pub use acks::Acks;
pub use client::{Assembled, Client, Limits, Received};
pub use packet::{ACK_ID_MAX, Event, NAMESPACE_BYTES_MAX};
