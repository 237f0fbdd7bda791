//! What listens: bind, accept, admit, drain.
//!
//! [`listener`] knows HTTP/1.1 and sockets, and nothing of what is served;
//! [`instance`] is the top: it alone reads the configuration and hands its
//! numbers down.

pub mod instance;
pub mod listener;

mod http_connection;
mod turn_away;

pub use instance::{Instance, StartError, open_store};
pub use listener::{Drained, Handler, ListenerLimits, bind, serve};
