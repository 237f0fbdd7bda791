//! What HTTP is asked for: the router and the REST API around the sessions.
//!
//! Reads and answers requests and holds no rule: what may happen is said by
//! the table below, in the codes of the catalogue; here they become statuses
//! and problem documents. A new endpoint is a handler in the file of its
//! resource, a row in `routes` and a line in `openapi`.

// The way of a request.
mod bearer;
mod call;
mod operators;
pub mod router;
mod routes;

// What there is.
mod asyncapi;
mod export;
mod front;
mod health;
pub mod metrics;
mod openapi;
mod page;
mod seats;
mod sessions;
mod status;
mod stories;

// What there is instead.
mod problem;

pub use operators::{OperatorToken, Operators};
pub use page::Page;
pub use router::{EngineMount, Router, RouterLimits};
