//! What listens: bind, accept, admit, drain.
//!
//! [`listener`] knows HTTP/1.1 and sockets, and nothing of what is served;
//! [`instance`] is the top, and `wiring` hands it the numbers from the
//! configuration.

pub mod instance;
pub mod listener;

mod advertised;
#[cfg(feature = "redis")]
mod emitter;
mod http_connection;
mod operators;
mod probe;
mod relay;
mod store;
mod turn_away;
mod wiring;

pub use instance::{Instance, StartError};
pub use listener::{Drained, Handler, ListenerLimits, bind, serve};
pub use probe::{ProbeError, own_url, probe};
pub use store::{Stores, open_store};
