//! What happens here, in numbers.
//!
//! An instance has one [`Metrics`]; those who count hold it and add to its
//! fields. Counting is an atomic addition or two: no lock, no allocation, no
//! name that is looked up.
//!
//! The names of the series are those that the code knows: nothing that a peer
//! sends becomes a label, so their number never changes while the process
//! runs.
//!
//! Written here rather than taken from a crate: `prometheus-client` takes a
//! lock for each observation of a histogram, `prometheus` has no OpenMetrics,
//! and what both are mostly about, labels that come up while the program runs,
//! is what must not be.

// What can be counted, and how it is written.
mod counter;
mod histogram;
mod page;

// What is counted.
mod game;
mod outcome;
mod process;
mod registry;
mod store;
mod wire;

// Who counts without being asked to.
mod observed;

pub use counter::{Counter, CounterFamily, Gauge, Held};
pub use game::Game;
pub use histogram::Histogram;
pub use observed::Observed;
pub use outcome::Outcome;
pub use page::{Format, Page};
pub use process::Process;
pub use registry::Metrics;
pub use store::{Call, CallOutcome, StoreCalls};
pub use wire::{Relayed, TcpTurnedAway, TurnedAway, Wire};
