//! Local rooms → members: a message is encoded once and cloned (a reference
//! count) into the outbox of every member.
//!
//! * [`Outbox`] is the bounded queue of outgoing messages of one connection;
//! * [`Wire`] is the way past the connection's task when nothing else waits;
//! * [`Room`] fans out; [`Hub`] finds rooms by name. An empty room vanishes.

mod outbox;
mod room;
mod wire;

pub use outbox::{Backlog, Outbox, OutboxFull, OutboxLimits, Waiting, held_bytes};
pub use room::{Hub, Membership, Room};
pub use wire::{Offered, Wire};
