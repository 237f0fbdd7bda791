//! Where sessions live: the contract, and the implementations that keep it.
//!
//! [`memory`] needs no other service and lives as long as the process.
//! [`redis`] keeps sessions where every instance finds them. Both pass the
//! same contract suite (`tests/store/`).

mod attempt;
#[cfg(feature = "redis")]
pub mod codec;
mod contract;
pub mod directory;
pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;

pub use attempt::{Attempt, Budget, Charge, Denied, OutOf, Party};
pub use contract::{
    CommitError, Entry, Lifetime, Loaded, Missing, Position, Receipt, SessionStore, StoreError,
    Stored, Subscription, Tombstone, Update,
};
pub use directory::{Directory, Figures, InstanceRecord};
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
