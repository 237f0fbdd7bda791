//! Rate limits: at most N accepted attempts in any window, whoever counts.
//!
//! [`Window`] is the rule; the store in Redis has it a second time, in Lua,
//! and a test holds both to each other. [`Gate`] is what an instance knows of
//! a window that the store keeps for all of them: it answers a flood without
//! asking the store, and takes the store's place while that is away.
//!
//! The numbers come from the configuration. Refused attempts do not extend a
//! window. No clock in here: the time is an argument.

mod budgets;
mod gate;
mod limit;
mod network;
mod window;

pub use budgets::Budgets;
pub use gate::Gate;
pub use limit::{Exceeded, Limit};
pub use network::Network;
pub use window::{Shortage, Window};
