//! Bytes in, bytes out: what carries a connection.
//!
//! [`engineio::serve`] answers every request under the Engine.IO path, by the
//! checks of the handshake; [`polling`] and [`upgrade`] do what they let in,
//! and [`relay`] asks the instance that has the connection where it is not ours.

pub mod body;
pub mod busy;
pub mod cors;
pub mod engineio;
pub mod relay;
pub mod slot;
pub mod stalling;
pub mod stream;
pub mod websocket;

mod compress;
mod link;
mod polling;
mod upgrade;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
