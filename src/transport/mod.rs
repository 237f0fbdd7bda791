//! (under construction)

pub mod polling;
pub mod websocket;
