//! The sockets of one session on this instance, and how they are told.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;
use tokio::time::Instant;

use crate::api::projection::{Audience, Outgoing};
use crate::connection::Socket;
use crate::hub::{Hub, Membership, Room};
use crate::metrics::{Held, Metrics};
use crate::poker::ids::{PlayerId, SessionId};
use crate::protocol::{CloseReason, SocketId};
use crate::table::socket_state::SeatLimits;
use crate::table::tracker::{Tracked, Tracker};

pub(super) struct Members {
    room: Arc<Room>,
    session: SessionId,
    tracker: Tracker,
    metrics: Arc<Metrics>,
    sockets: HashMap<SocketId, Member>,
    seats: HashMap<PlayerId, LocalSeat>,
}

struct Member {
    socket: Socket,
    player: PlayerId,
    /// `None` once it was sent away: told no more, and gone in a moment.
    membership: Option<Membership>,
    /// Taken back with the member.
    _tracked: Tracked,
}

/// A seat as this instance sees it.
#[derive(Default)]
struct LocalSeat {
    sockets: SmallVec<[SocketId; 2]>,
    /// Outlives the sockets, so that a reconnect resets nothing.
    limits: Arc<SeatLimits>,
    /// While there are sockets.
    online: Option<Held>,
}

impl Members {
    pub(super) fn new(
        hub: &Hub,
        session: SessionId,
        tracker: Tracker,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            room: hub.room(&format!("session:{session}")),
            session,
            tracker,
            metrics,
            sockets: HashMap::new(),
            seats: HashMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Whether it is this very socket that is a member under its id.
    pub(super) fn holds(&self, socket: &Socket) -> bool {
        self.sockets.get(&socket.id()).is_some_and(|member| member.socket.is_same(socket))
    }

    /// Whether a socket of that seat is here.
    pub(super) fn has_seat(&self, player: PlayerId) -> bool {
        self.seats.get(&player).is_some_and(|seat| !seat.sockets.is_empty())
    }

    /// The gates of a seat, which needs no socket here to act over HTTP.
    pub(super) fn limits(&mut self, player: PlayerId) -> &Arc<SeatLimits> {
        &self.seats.entry(player).or_default().limits
    }

    /// From now on the socket is told what happens.
    pub(super) fn add(&mut self, socket: &Socket, player: PlayerId) -> Arc<SeatLimits> {
        let id = socket.id();
        let seat = self.seats.entry(player).or_default();
        if !self.sockets.contains_key(&id) {
            seat.sockets.push(id);
            seat.online.get_or_insert_with(|| self.metrics.game.seats_online.hold());
            let membership = self.room.join(id, Arc::clone(socket.outbox()));
            let tracked = self.tracker.track(id, self.session, player, &seat.limits);
            let socket = socket.clone();
            let membership = Some(membership);
            let member = Member { socket, player, membership, _tracked: tracked };
            self.sockets.insert(id, member);
        }
        Arc::clone(&seat.limits)
    }

    /// The seat of a socket that is gone, if that was its last one here. A
    /// socket that another one has taken over from is nobody's.
    pub(super) fn remove(&mut self, socket: &Socket) -> Option<PlayerId> {
        let id = socket.id();
        let member = if self.holds(socket) { self.sockets.remove(&id) } else { None };
        let player = member?.player;
        let seat = self.seats.get_mut(&player)?;
        seat.leave(id);
        seat.sockets.is_empty().then_some(player)
    }

    /// The member of that id, which a socket of the same id takes over from.
    pub(super) fn take_out(&mut self, id: SocketId) -> Option<Socket> {
        let member = self.sockets.remove(&id)?;
        if let Some(seat) = self.seats.get_mut(&member.player) {
            seat.leave(id);
        }
        Some(member.socket)
    }

    /// All sockets of a seat that is gone; its limits are forgotten.
    pub(super) fn remove_seat(&mut self, player: PlayerId) -> Vec<Socket> {
        let Some(seat) = self.seats.remove(&player) else {
            return Vec::new();
        };
        let members = seat.sockets.iter().filter_map(|id| self.sockets.remove(id));
        members.map(|member| member.socket).collect()
    }

    pub(super) fn remove_all(&mut self) -> Vec<Socket> {
        self.seats.clear();
        self.sockets.drain().map(|(_, member)| member.socket).collect()
    }

    /// Whether anybody here would be told; `origin` as for [`Members::tell`].
    pub(super) fn hears(&self, audience: Audience, origin: Option<SocketId>) -> bool {
        let theirs = |player| self.seats.get(&player).map_or(&[][..], |seat| &seat.sockets);
        match audience {
            Audience::Everybody | Audience::EverybodyBut(_) => true,
            Audience::Player(player) => !theirs(player).is_empty(),
            Audience::OtherTabs(player) => theirs(player).iter().any(|id| Some(*id) != origin),
        }
    }

    /// Whether a socket of that seat is meant, as far as that can be said
    /// afterwards: which tab sent a command is forgotten.
    pub(super) fn is_meant(audience: Audience, player: PlayerId) -> bool {
        match audience {
            Audience::Everybody => true,
            Audience::EverybodyBut(other) => other != player,
            Audience::Player(one) | Audience::OtherTabs(one) => one == player,
        }
    }

    /// All connections end, so that their clients come back: here, if they
    /// like. They are told nothing from now on; they stay members until they
    /// have departed.
    pub(super) fn send_away(&mut self) {
        for member in self.sockets.values_mut() {
            member.membership = None;
            member.socket.close(CloseReason::ForcedClose);
        }
    }

    /// What was told leaves: several messages of a moment go together.
    pub(super) fn flush(&self) {
        self.room.flush();
    }

    /// Tells whom it concerns, with the next [`Members::flush`]. `origin` is
    /// the socket whose command this is.
    pub(super) fn tell(&self, outgoing: &Outgoing, origin: Option<SocketId>) {
        let message = &outgoing.message;
        match outgoing.audience {
            Audience::Everybody if outgoing.is_volatile => {
                // What was told before it must not look like a client that is behind.
                self.room.flush();
                self.room.send_volatile(message);
            }
            Audience::Everybody => self.fan_out(|room| room.queue(message)),
            Audience::EverybodyBut(player) => {
                let theirs = self.seats.get(&player).map(|seat| &seat.sockets);
                let is_meant = |socket| theirs.is_none_or(|theirs| !theirs.contains(&socket));
                self.fan_out(|room| room.queue_where(message, is_meant));
            }
            Audience::Player(player) => self.tell_seat(player, outgoing, None),
            Audience::OtherTabs(player) => self.tell_seat(player, outgoing, origin),
        }
    }

    fn fan_out(&self, send: impl FnOnce(&Room) -> usize) {
        let begun = Instant::now();
        let members = send(&self.room);
        self.metrics.game.told(members, begun.elapsed());
    }

    fn tell_seat(&self, player: PlayerId, outgoing: &Outgoing, but: Option<SocketId>) {
        let Some(seat) = self.seats.get(&player) else { return };
        let theirs = seat.sockets.iter().filter(|id| Some(**id) != but);
        let members = theirs.filter_map(|id| self.sockets.get(id));
        for member in members.filter(|member| member.membership.is_some()) {
            // A member whose connection is closing is told no more.
            let _ = member.socket.queue(outgoing.message.clone());
        }
    }
}

impl LocalSeat {
    fn leave(&mut self, socket: SocketId) {
        self.sockets.retain(|other| *other != socket);
        if self.sockets.is_empty() {
            self.online = None;
        }
    }
}

/// A task ends when nobody is left. If it panicked instead, its sockets must
/// not sit in a room that nobody serves: their clients come back.
impl Drop for Members {
    fn drop(&mut self) {
        self.send_away();
    }
}
