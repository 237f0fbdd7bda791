//! Who is connected where: leases, not history.
//!
//! Nothing in here decides a vote. It answers three questions: which
//! instances live and where they are reached, which sockets a session has on
//! all of them, and whose socket it was that comes back. What is written here
//! is written again with every renewal, so that a directory that was lost
//! fills by itself.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::poker::ids::{InstanceId, Millis, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::contract::{Position, StoreError};

/// The contract. Records are kept until their lease ends or they are taken
/// back; a renewal writes the whole record again. Batches may be as large as
/// the connections of an instance: an implementation splits them. A batch
/// that failed may have been written in part; it is repeated as a whole.
///
/// Leases run by the store's clock. A record is that of its instance: one
/// socket may be listed by two, as long as one of them has not noticed that
/// it came back elsewhere, and each takes back its own listing alone.
pub trait Directory: Send + Sync + 'static {
    /// Announces an instance, or renews its lease; says which of both it was,
    /// and whether somebody has [asked it to drain](Self::request_drain).
    fn announce(
        &self,
        instance: InstanceRecord,
        lease_ms: u64,
    ) -> BoxFuture<'_, Result<Announced, StoreError>>;

    /// Asks an instance to let its clients go: it hears of it when it is
    /// announced the next time, and each time after that. Answers whether its
    /// lease runs; one that has ended is asked nothing. A lease that ends
    /// takes the wish with it.
    fn request_drain(&self, id: InstanceId) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// The instance is gone for good: its lease ends now.
    fn retire(&self, id: InstanceId) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The record of an instance whose lease runs.
    fn instance(&self, id: InstanceId)
    -> BoxFuture<'_, Result<Option<InstanceRecord>, StoreError>>;

    /// All whose lease runs, in the order of their ids; 1,000 at the most. A
    /// few round trips, whatever else the store holds.
    fn instances(&self) -> BoxFuture<'_, Result<Vec<InstanceRecord>, StoreError>>;

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
    /// taken back, never the record of one that came back elsewhere. Counts:
    /// socket, session, player and instance.
    fn untrack(&self, connections: Vec<ConnectionRecord>) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The record that was written last.
    fn connection(
        &self,
        socket: SocketId,
    ) -> BoxFuture<'_, Result<Option<ConnectionRecord>, StoreError>>;

    /// The sockets of a session, on all instances, each once.
    fn session_connections(
        &self,
        session: SessionId,
    ) -> BoxFuture<'_, Result<Vec<SocketId>, StoreError>>;

    /// Whether some socket of that player is connected anywhere; as cheap in a
    /// large session as in a small one.
    fn is_player_online(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Writes what recovering needs, for so long; renewed as long as the
    /// socket lives. A record that somebody else has claimed since
    /// (`RecoveryRecord::claims` is behind) is left as it is; returns the ids
    /// of those.
    fn keep_recoverable(
        &self,
        records: Vec<RecoveryRecord>,
        window_ms: u64,
    ) -> BoxFuture<'_, Result<Vec<PrivateId>, StoreError>>;

    /// The socket behind a private id now belongs to `by`; the record as it
    /// was before, and from now on with one claim more. Of two who claim at
    /// once each sees the other as one before or after: the later one owns
    /// it. The window goes on running until the new owner renews it.
    fn claim(
        &self,
        id: PrivateId,
        by: InstanceId,
    ) -> BoxFuture<'_, Result<Option<RecoveryRecord>, StoreError>>;

    /// The socket has left on purpose: it must not come back by this.
    fn forget_recoverable(&self, ids: Vec<PrivateId>) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// What an announcement did, and what waited for the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    pub lease: Lease,
    pub is_asked_to_drain: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// It began: nobody knew the instance, or its lease had ended.
    Began,
    Renewed,
}

/// An instance, and how the others reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRecord {
    pub id: InstanceId,
    /// `host:port`; empty when it takes no relayed requests.
    pub address: String,
    /// The name under which a scheduler runs it (on AWS ECS the ARN of its
    /// task), so that who is told that the task stops knows whom to tell.
    pub task: Option<String>,
    pub started: Millis,
    /// As of its last sign of life.
    pub figures: Figures,
}

/// Instances that are listed at one time.
pub const INSTANCES_MAX: usize = 1_000;

/// What an instance says about itself, for those who look from outside: the
/// other instances, the functions, operators. Written as JSON with these
/// names in camel case. Whoever reads an older or newer one takes what he
/// knows, and 0 for what is not there.
///
/// What ends with `total`, and conflicts, slow consumers and rate-limited
/// events, are counted since the instance began; the others are as of now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Figures {
    /// Engine.IO connections.
    pub connections: u64,
    /// Places in a namespace on them.
    pub sockets: u64,
    /// Sessions that the instance serves.
    pub sessions: u64,
    /// Seats that have a socket at this instance.
    pub seats_online: u64,
    /// Events of clients that were answered.
    pub events_total: u64,
    /// Messages handed to members of rooms.
    pub messages_total: u64,
    /// Accepted commits.
    pub commits_total: u64,
    /// Commits that somebody else's came before.
    pub conflicts: u64,
    /// Connections closed because they read too slowly.
    pub slow_consumers: u64,
    /// Events refused because there were too many.
    pub rate_limited: u64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Processor time since the process began.
    pub cpu_ms: u64,
    /// On its way out: no new connections.
    pub draining: bool,
    /// When this was written, by the store's clock.
    #[cfg_attr(feature = "server", schema(value_type = u64))]
    pub updated_at: Millis,
}

/// A socket that has a place in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRecord {
    pub socket: SocketId,
    pub session: SessionId,
    pub player: PlayerId,
    pub instance: InstanceId,
    /// When the socket took its place.
    pub connected_at: Millis,
    /// When somebody on that seat last sent an event, as of the last renewal.
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
