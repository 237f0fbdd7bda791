//! What listens: bind, accept, admit, drain.
//!
//! [`listener`] knows HTTP/1.1 and sockets, and nothing of what is served;
//! [`instance`] is the top, and `wiring` hands it the numbers from the
//! configuration.

pub mod ecs;
pub mod instance;
pub mod listener;
pub mod proxy_protocol;
pub mod tls;

mod advertised;
mod ambiguity;
mod arrival;
mod client_address;
mod drain;
#[cfg(feature = "redis")]
mod emitter;
mod http_connection;
mod memory;
mod operators;
mod probe;
mod relay;
mod store;
mod turn_away;
mod wiring;

pub use client_address::{ClientAddress, TrustedProxies};
pub use instance::{Ended, Instance, StartError};
pub use listener::{Drained, Handler, ListenerLimits, bind, serve};
pub use probe::{ProbeError, own_url, probe};
pub use store::{Stores, open_store};
