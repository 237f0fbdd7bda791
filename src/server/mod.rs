//! What listens: bind, accept, admit, drain.
//!
//! Knows HTTP/1.1 and sockets, and nothing of what is served: every request
//! goes to one handler. Numbers come in as structs; the top reads the config.

pub mod listener;

mod http_connection;
mod turn_away;

pub use listener::{Drained, Handler, ListenerLimits, bind, serve};
