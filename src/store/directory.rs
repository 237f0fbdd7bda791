//! Who is connected where: leases, not history.
//!
//! Nothing in here decides a vote. It answers three questions: which
//! instances live and where they are reached, which sockets a session has on
//! all of them, and whose socket it was that comes back. What is written here
//! is written again with every renewal, so that a directory that was lost
//! fills by itself.

use futures_util::future::BoxFuture;

use crate::poker::ids::{InstanceId, Millis, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::contract::{Position, StoreError};

/// The contract. Records are kept until their lease ends or they are taken
/// back; a renewal writes the whole record again. Batches may be as large as
/// the connections of an instance: an implementation splits them.
pub trait Directory: Send + Sync + 'static {
    /// Announces an instance, or renews its lease.
    fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The instance is gone for good: its lease ends now.
    fn retire(&self, id: InstanceId) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The record of an instance whose lease runs.
    fn instance(&self, id: InstanceId)
    -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>>;

    /// Which of them hold a running lease, in the order asked; one round trip
    /// (a few where keys lie on several nodes).
    fn are_alive(&self, ids: Vec<InstanceId>) -> BoxFuture<'_, Result<Vec<bool>, StoreError>>;

    /// Sockets that are here, or still here.
    fn track(
        &self,
        connections: Vec<ConnectionRecord>,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Sockets that are gone; only what their instance itself has written is
    /// taken back, never the record of one that came back elsewhere.
    fn untrack(&self, connections: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>>;

    fn connection(
        &self,
        socket: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>>;

    /// The sockets of a session, on all instances.
    fn session_connections(
        &self,
        session: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>>;

    /// Whether some socket of that player is connected anywhere; O(1).
    fn is_player_online(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Writes what recovering needs, for so long; renewed as long as the
    /// socket lives. A record that somebody else has claimed since
    /// (`RecoveryRecord::claims` is behind) is left as it is.
    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The socket behind a private id now belongs to `by`; the record as it
    /// was before, and from now on with one claim more. Of two who claim at
    /// once each sees the other as one before or after.
    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>>;

    /// The socket has left on purpose: it must not come back by this.
    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// An instance, and how the others reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRecord {
    pub id: InstanceId,
    /// `host:port`; empty when it takes no relayed requests.
    pub address: String,
    pub started: Millis,
}

/// A socket that has a place in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRecord {
    pub socket: SocketId,
    pub session: SessionId,
    pub player: PlayerId,
    pub instance: InstanceId,
    pub connected_at: Millis,
    pub last_activity: Millis,
}

/// What a socket needs to come back, on any instance (Socket.IO connection
/// state recovery). Written when the socket connects and when its place
/// changes, not when it is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryRecord {
    pub id: PrivateId,
    pub socket: SocketId,
    /// The instance that holds the socket.
    pub owner: InstanceId,
    /// How often it was claimed: whoever is behind owns it no more.
    pub claims: u32,
    pub place: Option<RecoverablePlace>,
}

/// Where a socket sat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverablePlace {
    pub session: SessionId,
    pub player: PlayerId,
    /// The seat's; see `poker::seat::Seat::generation`.
    pub generation: u32,
    /// Where the session stood when the socket took its place: who has
    /// received no event since is missing what lies behind.
    pub joined_at: Position,
}
