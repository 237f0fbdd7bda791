//! Socket.IO v5.

mod acks;
mod packet;

pub use acks::Acks;
pub use packet::Event;
