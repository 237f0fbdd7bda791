//! A socket comes back: what it missed is read before it is seated, and told
//! before anything that happens from then on.

use std::sync::Arc;

use tracing::warn;

use crate::api::offset::Offset;
use crate::poker::command::{Claim, Departure, Join, PasswordCheck};
use crate::poker::ids::PlayerId;
use crate::poker::session::{Session, Status};
use crate::protocol::Encoded;
use crate::store::directory::RecoverablePlace;
use crate::store::{Entry, Missing, Position, StoreError};
use crate::table::members::Members;
use crate::table::recovery::{Recovering, let_go};
use crate::table::recovery_failure::RecoveryFailure;
use crate::table::session_task::SessionTask;
use crate::table::session_task::batch::{Waiting, Work};
use crate::table::socket_state::{Place, SocketState};

/// A recovery that waits for its seat.
pub(super) struct Recovery {
    recovering: Recovering,
    replay: Replay,
}

/// What a socket missed, as it is told.
struct Replay {
    messages: Vec<Encoded>,
    bytes: usize,
    /// All entries up to this one are in `messages`.
    up_to: Position,
}

impl Recovery {
    pub(super) fn failed(self, failure: RecoveryFailure) {
        self.recovering.failed(failure);
    }
}

impl Recovering {
    fn failed(self, failure: RecoveryFailure) {
        let _ = self.outcome.send(Err(failure));
    }
}

impl SessionTask {
    /// Reads what was missed; `None` if the recovery has failed.
    pub(super) async fn begin_recovery(&mut self, recovering: Recovering) -> Option<Work> {
        let place = recovering.place;
        let read = match check_seat(&self.session, place) {
            Ok(()) => self.read_missed(place, recovering.offset).await,
            Err(failure) => Err(failure),
        };
        let replay = match read {
            Ok(replay) => replay,
            Err(failure) => {
                recovering.failed(failure);
                return None;
            }
        };
        self.overheard = Some(Vec::new());
        let join = Join {
            claim: Claim::Token { player: place.player, generation: place.generation },
            name: None,
            avatar: None,
            is_spectator: None,
            password: PasswordCheck::Absent,
            instance: Some(self.instance()),
        };
        // A session that has ended takes nobody in, but whoever had a place
        // may stay for the export, as those do who never left.
        let command = self.session.is_open().then(|| self.join_command(join, None));
        let waiting = Waiting::Recover(Box::new(Recovery { recovering, replay }));
        Some(Work::free(command, waiting))
    }

    /// The seat has been taken: the socket becomes a member.
    pub(super) fn recover(&mut self, recovery: Recovery) {
        let Recovery { recovering, mut replay } = recovery;
        let player = recovering.place.player;
        for entry in self.overheard.take().unwrap_or_default() {
            self.add_to(&mut replay, &entry, 0, player);
        }
        if replay.up_to != self.told || self.told != self.position {
            warn!(session.id = %self.handle.id, "a replay does not meet what was told");
            // The seat is let go when the session has been loaded again.
            self.is_ahead = true;
            return recovering.failed(RecoveryFailure::Internal);
        }
        let Recovering { socket, id, private_id, outcome, .. } = recovering;
        if !socket.assume(id, private_id) {
            self.is_ahead = true;
            let _ = outcome.send(Err(RecoveryFailure::Internal));
            return;
        }
        if let Some(earlier) = self.members.take_out(id) {
            let_go(&earlier);
        }
        let limits = self.members.add(&socket, player);
        let place = Place { session: self.handle.clone(), player, limits };
        let is_here = socket.state::<SocketState>().is_some_and(|state| state.enter(place));
        if !is_here {
            // The connection ended meanwhile: it departs right away.
            self.handle.departed(socket, Departure::Disconnected);
            let _ = outcome.send(Err(RecoveryFailure::ConnectionGone));
            return;
        }
        // A connection that is closing will say so.
        let _ = socket.welcome(&replay.messages);
        let _ = outcome.send(Ok(()));
    }

    async fn read_missed(
        &mut self,
        place: RecoverablePlace,
        offset: Option<Offset>,
    ) -> Result<Replay, RecoveryFailure> {
        let reached = offset.map_or(place.joined_at.version, |offset| offset.version);
        if !self.is_ahead {
            if self.position.version < reached {
                // The client has heard of it from another instance first.
                self.resync().await.map_err(|error| RecoveryFailure::of(&error))?;
            }
            // Whatever was not told cannot be made up for.
            self.told = self.position;
        }
        let (from, entry) = self.read_from(place, offset)?;
        let mut replay = Replay { messages: Vec::new(), bytes: 0, up_to: from };
        if from == self.told {
            return Ok(replay);
        }
        let store = Arc::clone(&self.shared.store);
        let mut missing = store.read_after(self.handle.id, from).await;
        if matches!(missing, Err(StoreError::Gone)) {
            // Over; or lost, and then it is put back.
            self.resync().await.map_err(|error| RecoveryFailure::of(&error))?;
            missing = store.read_after(self.handle.id, from).await;
        }
        let entries = match missing.map_err(|error| RecoveryFailure::of(&error))? {
            Missing::Entries(entries) => entries,
            Missing::Unreachable => return Err(RecoveryFailure::OtherHistory),
        };
        let limits = self.shared.options.recovery;
        // What lies behind that has not been told yet.
        let missed = entries.iter().take_while(|one| one.position.version <= self.told.version);
        for (index, one) in missed.enumerate() {
            let told = match entry {
                Some((position, told)) if index == 0 => {
                    if one.position != position {
                        return Err(RecoveryFailure::OtherHistory);
                    }
                    told
                }
                _ => 0,
            };
            self.add_to(&mut replay, one, told, place.player);
            if limits.replay_entries_max <= index || limits.replay_bytes_max < replay.bytes {
                return Err(RecoveryFailure::TooFarBehind);
            }
        }
        if replay.up_to == self.told { Ok(replay) } else { Err(RecoveryFailure::OtherHistory) }
    }

    /// The position to read behind; and which entry has to come next, of
    /// which so many messages are known, if it is half told.
    fn read_from(
        &self,
        place: RecoverablePlace,
        offset: Option<Offset>,
    ) -> Result<(Position, Option<(Position, usize)>), RecoveryFailure> {
        let Some(Offset { version, nonce, part }) = offset else {
            return Ok((place.joined_at, None));
        };
        let reached = Position { epoch: self.told.epoch, version, nonce };
        let Some(part) = part else { return Ok((reached, None)) };
        let before = version.checked_sub(1).ok_or(RecoveryFailure::BadOffset)?;
        let before = Position { version: before, nonce: part.nonce_before, ..reached };
        Ok((before, Some((reached, part.told as usize))))
    }

    /// Adds what is told of an entry to somebody who knows `told` messages of it.
    fn add_to(&self, replay: &mut Replay, entry: &Entry, told: usize, player: PlayerId) {
        for outgoing in self.tellings(entry, replay.up_to, &|_| true).into_iter().skip(told) {
            if Members::is_meant(outgoing.audience, player) {
                replay.bytes += outgoing.message.websocket().len();
                replay.messages.push(outgoing.message);
            }
        }
        replay.up_to = entry.position;
    }
}

/// The rules say it again with the commit; this is before anything is read.
fn check_seat(session: &Session, place: RecoverablePlace) -> Result<(), RecoveryFailure> {
    if matches!(session.status, Status::Expired { .. }) {
        return Err(RecoveryFailure::SessionOver);
    }
    match session.seats.get(&place.player) {
        Some(seat) if seat.generation == place.generation => Ok(()),
        _ => Err(RecoveryFailure::SeatGone),
    }
}
