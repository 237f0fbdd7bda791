//! Bytes in, bytes out: what carries a connection.

pub mod body;
pub mod polling;
pub mod slot;
pub mod websocket;
