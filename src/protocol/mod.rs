//! Engine.IO v4 and Socket.IO v5, pure: bytes and times come in, bytes and times go out.

pub mod frame;
