//! Engine.IO v4 and Socket.IO v5, pure: bytes and times come in, bytes and times go out.
//!
//! Nothing here does I/O, reads a clock or draws randomness. Times are
//! [`Duration`](std::time::Duration)s since any fixed origin of the caller's.

pub mod close;
pub mod encoded;
pub mod engineio;
pub mod frame;
pub mod id;
pub mod sid;
pub mod socketio;

pub use close::CloseReason;
pub use encoded::{Draft, Encoded};
pub use id::{PrivateId, SocketId};
pub use sid::Sid;
