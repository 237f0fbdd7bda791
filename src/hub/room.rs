//! Rooms: named groups of sockets that receive the same messages.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};

use tokio::runtime::Handle;

use crate::hub::Outbox;
use crate::protocol::{Encoded, SocketId};

/// So many members are told by one task: those of a room that has no more, by
/// whoever tells it. In a larger one the writing would keep that task from its
/// work for milliseconds, and is shared out among all threads.
const MEMBERS_PER_TASK: usize = 64;

/// Finds rooms by name. A clone is the same hub.
#[derive(Debug, Clone)]
pub struct Hub {
    rooms: Arc<Rooms>,
}

/// A group of sockets on this instance. Keep the handle and a fan-out looks
/// up nothing; the room lives under its name as long as somebody holds a
/// handle or a [`Membership`].
#[derive(Debug)]
pub struct Room {
    name: Arc<str>,
    members: RwLock<HashMap<SocketId, Member>>,
    /// Numbers the memberships.
    joins: AtomicU64,
    rooms: Weak<Rooms>,
}

#[derive(Debug)]
struct Member {
    outbox: Arc<Outbox>,
    join: u64,
}

/// A socket's place in a room; dropping it leaves the room, unless the socket
/// has joined again since.
#[derive(Debug)]
#[must_use = "dropping a membership leaves the room"]
pub struct Membership {
    room: Arc<Room>,
    socket: SocketId,
    join: u64,
}

impl Hub {
    /// Shards keep instances with many rooms from meeting on one lock.
    const SHARDS: usize = 64;

    pub fn new() -> Self {
        let shards = (0..Self::SHARDS).map(|_| Mutex::default()).collect();
        Self { rooms: Arc::new(Rooms { shards, hasher: RandomState::new() }) }
    }

    /// The room of that name, made now if there is none.
    pub fn room(&self, name: &str) -> Arc<Room> {
        let mut shard = self.rooms.shard(name);
        if let Some(room) = shard.get(name).and_then(Weak::upgrade) {
            return room;
        }
        let name = Arc::<str>::from(name);
        let room = Arc::new(Room {
            name: Arc::clone(&name),
            members: RwLock::default(),
            joins: AtomicU64::new(0),
            rooms: Arc::downgrade(&self.rooms),
        });
        shard.insert(name, Arc::downgrade(&room));
        room
    }

    /// The room of that name, if anybody holds it.
    pub fn find(&self, name: &str) -> Option<Arc<Room>> {
        self.rooms.shard(name).get(name).and_then(Weak::upgrade)
    }

    /// All rooms. Takes every shard's lock: for what happens once.
    pub fn rooms(&self) -> Vec<Arc<Room>> {
        let shards = self.rooms.shards.iter();
        shards
            .flat_map(|shard| lock(shard).values().filter_map(Weak::upgrade).collect::<Vec<_>>())
            .collect()
    }

    /// How many rooms there are. Takes every shard's lock: for metrics.
    pub fn len(&self) -> usize {
        self.rooms.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Room {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds a socket with the outbox of its connection. Joining again takes
    /// the place of the earlier membership.
    pub fn join(self: &Arc<Self>, socket: SocketId, outbox: Arc<Outbox>) -> Membership {
        let join = self.joins.fetch_add(1, Ordering::Relaxed);
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        members.insert(socket, Member { outbox, join });
        Membership { room: Arc::clone(self), socket, join }
    }

    /// One clone of the message per member, no serialisation. A member whose
    /// outbox is full is being closed and is passed over. Returns how many
    /// members took it.
    pub fn send(&self, message: &Encoded) -> usize {
        let queued = self.queue(message);
        self.flush();
        queued
    }

    /// As [`Room::send`], but it leaves with the next [`Room::flush`].
    pub fn queue(&self, message: &Encoded) -> usize {
        self.queue_where(message, |_| true)
    }

    /// As [`Room::queue`], to those who are meant.
    pub fn queue_where(&self, message: &Encoded, is_meant: impl Fn(SocketId) -> bool) -> usize {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members
            .iter()
            .filter(|(socket, member)| {
                is_meant(**socket) && member.outbox.queue(message.clone()).is_ok()
            })
            .count()
    }

    /// What is queued for the members leaves: by this very task in a small
    /// room, by a few of their own in a large one.
    pub fn flush(&self) {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let is_large = MEMBERS_PER_TASK < members.len();
        let runtime = is_large.then(|| Handle::try_current().ok()).flatten();
        let Some(runtime) = runtime else {
            return members.values().for_each(|member| member.outbox.flush());
        };
        let mut outboxes = members.values().map(|member| Arc::clone(&member.outbox));
        loop {
            let part: Vec<_> = outboxes.by_ref().take(MEMBERS_PER_TASK).collect();
            if part.is_empty() {
                return;
            }
            runtime.spawn(async move { part.iter().for_each(|outbox| outbox.flush()) });
        }
    }

    /// To those who have nothing else waiting; the others never see it.
    pub fn send_volatile(&self, message: &Encoded) -> usize {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.values().filter(|member| member.outbox.push_volatile(message.clone())).count()
    }

    /// As [`Room::send_volatile`], to those who are meant.
    pub fn send_volatile_where(
        &self,
        message: &Encoded,
        is_meant: impl Fn(SocketId) -> bool,
    ) -> usize {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let meant = members.iter().filter(|(socket, _)| is_meant(**socket));
        meant.filter(|(_, member)| member.outbox.push_volatile(message.clone())).count()
    }

    /// Who is in it now.
    pub fn sockets(&self) -> Vec<SocketId> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.keys().copied().collect()
    }

    pub fn len(&self) -> usize {
        self.members.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(rooms) = self.rooms.upgrade() else { return };
        let mut shard = rooms.shard(&self.name);
        // Somebody may have made a new room of this name since the last handle went.
        if shard.get(&self.name).is_some_and(|room| room.strong_count() == 0) {
            shard.remove(&self.name);
        }
    }
}

impl Membership {
    pub fn room(&self) -> &Arc<Room> {
        &self.room
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut members = self.room.members.write().unwrap_or_else(PoisonError::into_inner);
        if members.get(&self.socket).is_some_and(|member| member.join == self.join) {
            members.remove(&self.socket);
        }
    }
}

type Shard = HashMap<Arc<str>, Weak<Room>>;

#[derive(Debug)]
struct Rooms {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
}

impl Rooms {
    fn shard(&self, name: &str) -> MutexGuard<'_, Shard> {
        let index = self.hasher.hash_one(name) as usize % self.shards.len();
        lock(&self.shards[index])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::hub::OutboxLimits;

    fn member(room: &Arc<Room>, n: u8) -> (SocketId, Arc<Outbox>, Membership) {
        let outbox = Arc::new(Outbox::new(OutboxLimits::default()));
        let id = SocketId::from_random([n; 15]);
        (id, Arc::clone(&outbox), room.join(id, outbox))
    }

    #[test]
    fn a_message_reaches_every_member_but_the_excepted() {
        let hub = Hub::new();
        let room = hub.room("session:1");
        let (first, first_outbox, _first) = member(&room, 1);
        let (_, second_outbox, _second) = member(&room, 2);
        assert_eq!(room.send(&Encoded::PING), 2);
        assert_eq!(room.queue_where(&Encoded::NOOP, |member| member != first), 1);
        assert_eq!(first_outbox.take_all()[..], [Encoded::PING]);
        assert_eq!(second_outbox.take_all()[..], [Encoded::PING, Encoded::NOOP]);
    }

    #[test]
    fn members_share_the_bytes() {
        let room = Hub::new().room("r");
        let (_, first, _keep) = member(&room, 1);
        let (_, second, _keep_too) = member(&room, 2);
        room.send(&Encoded::message("hello"));
        let (first, second) = (first.take_all(), second.take_all());
        assert_eq!(first[0].websocket().as_ptr(), second[0].websocket().as_ptr());
    }

    #[test]
    fn a_dropped_membership_leaves_and_an_empty_room_vanishes() {
        let hub = Hub::new();
        let (_, outbox, membership) = member(&hub.room("r"), 1);
        assert_eq!(hub.find("r").map(|room| room.send(&Encoded::PING)), Some(1));
        drop(membership);
        assert!(hub.find("r").is_none() && hub.is_empty());
        assert_eq!(outbox.take_all().len(), 1);
    }

    #[test]
    fn a_kept_handle_keeps_the_room_under_its_name() {
        let hub = Hub::new();
        let kept = hub.room("r");
        drop(member(&kept, 1));
        let (_, _, _membership) = member(&hub.room("r"), 2);
        assert_eq!(kept.send(&Encoded::PING), 1);
    }

    #[test]
    fn joining_again_outlives_the_earlier_membership() {
        let room = Hub::new().room("r");
        let (socket, outbox, earlier) = member(&room, 1);
        let later = room.join(socket, outbox);
        drop(earlier);
        assert_eq!(room.send(&Encoded::PING), 1);
        drop(later);
        assert!(room.is_empty());
    }

    #[test]
    fn a_member_with_a_full_outbox_is_passed_over() {
        let room = Hub::new().room("r");
        let outbox =
            Arc::new(Outbox::new(OutboxLimits { messages_max: 0, ..OutboxLimits::default() }));
        let _slow = room.join(SocketId::from_random([1; 15]), Arc::clone(&outbox));
        let (_, _, _quick) = member(&room, 2);
        assert_eq!(room.send(&Encoded::PING), 1);
        assert!(outbox.has_overflown());
    }
}
