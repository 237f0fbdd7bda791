//! The shortcut from a fan-out to the network, past the connections' tasks.

use crate::protocol::Encoded;

/// The network, for whoever has something for a connection whose task has
/// nothing under way. A `send` costs the same in every task; to wake ten tasks
/// so that each does its own costs a quarter more.
pub trait Wire: Send + Sync {
    /// Hands whole messages to the network, in order: all of them or none.
    /// Must not wait, and must not call the [`Outbox`](super::Outbox) back.
    fn offer(&self, messages: &[Encoded]) -> Offered;
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// The network has all.
    Sent,
    /// The network has a part; the consumer writes the rest, and has to be
    /// woken.
    Begun,
    /// Nothing was taken: something else is under way, or there is no room.
    Refused,
}
