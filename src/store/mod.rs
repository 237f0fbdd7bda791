//! Where sessions live: the contract, and the implementations that keep it.
//!
//! [`memory`] needs no other service and lives as long as the process. Every
//! implementation passes the same contract suite (`tests/store/`).

mod contract;
pub mod memory;

pub use contract::{
    CommitError, Committed, Lifetime, Loaded, Missing, Position, SessionStore, StoreError, Stored,
    Subscription, Tombstone, Update,
};
pub use memory::MemoryStore;
