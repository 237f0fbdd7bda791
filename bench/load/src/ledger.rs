//! What was sent and what came: latencies, and whether all of it is right.

use std::collections::VecDeque;

use hdrhistogram::Histogram;
use memchr::memmem::Finder;
use tokio::time::Instant;

use crate::wire::{number, text_behind};
use crate::wrong::{Wrong, Wrongs};

/// The players of one run, their rooms, and everything they received.
pub(crate) struct Ledger {
    rooms: Vec<Room>,
    players: Vec<Player>,
    /// Whether the server counts votes (the floor does not).
    counts_votes: bool,
    sequence: Finder<'static>,
    vote_count: Finder<'static>,
    messages: u64,
    wrongs: Wrongs,
    pub(crate) tally: Tally,
}

/// What one window of a run showed.
pub(crate) struct Tally {
    /// From the time at which a vote was due until everybody in its room had
    /// heard of it, in ns.
    pub(crate) fan_outs: Histogram<u64>,
    /// From that time until its acknowledgement, in ns.
    pub(crate) acks: Histogram<u64>,
    pub(crate) deliveries: u64,
    pub(crate) votes: u64,
}

struct Room {
    size: u32,
    /// The number in front of `told`.
    base: Option<u64>,
    told: VecDeque<Told>,
    voted: Vec<bool>,
    votes: u32,
}

/// One numbered event, as its first receiver heard it.
struct Told {
    /// The voter and the count; `None`: another event.
    vote: Option<(u32, u32)>,
    due: Option<Instant>,
    heard_by: u32,
}

struct Player {
    room: u32,
    /// Its place in its room.
    place: u32,
    last_sequence: Option<u64>,
    unacknowledged: VecDeque<Instant>,
    untold: VecDeque<Instant>,
}

/// What a client has to do about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    None,
    Pong,
    Acknowledged,
}

const VOTE: &[u8] = b"42[\"vote:submitted\",{\"playerId\":\"";
const RESET: &[u8] = b"42[\"game:reset\"";
const PLAYER_ID_BYTES: usize = 36;

impl Ledger {
    pub(crate) fn new(rooms: usize, size: usize, counts_votes: bool) -> Self {
        let players = (0..rooms * size).map(|index| Player {
            room: u32::try_from(index / size).expect("few rooms"),
            place: u32::try_from(index % size).expect("small rooms"),
            last_sequence: None,
            unacknowledged: VecDeque::new(),
            untold: VecDeque::new(),
        });
        let players = players.collect();
        let room = |_| Room {
            size: u32::try_from(size).expect("a small room"),
            base: None,
            told: VecDeque::new(),
            voted: vec![false; size],
            votes: 0,
        };
        Self {
            rooms: (0..rooms).map(room).collect(),
            players,
            counts_votes,
            sequence: Finder::new("\"seq\":"),
            vote_count: Finder::new("\"voteCount\":"),
            messages: 0,
            wrongs: Wrongs::default(),
            tally: Tally::new(),
        }
    }

    /// Messages of any kind so far.
    pub(crate) const fn messages(&self) -> u64 {
        self.messages
    }

    /// Forgets what came while the players took their seats: from here on all
    /// members of a room must hear the same.
    pub(crate) fn begin(&mut self) {
        for room in &mut self.rooms {
            room.base = None;
            room.told.clear();
        }
        self.players.iter_mut().for_each(|player| player.last_sequence = None);
        self.wrongs.clear();
        self.tally = Tally::new();
    }

    /// `player` sends a vote that was due at `due`.
    pub(crate) fn sent(&mut self, player: usize, due: Instant) {
        if let Some(player) = self.players.get_mut(player) {
            player.unacknowledged.push_back(due);
            player.untold.push_back(due);
        }
    }

    /// `player` sends a command that nobody counts.
    pub(crate) fn commanded(&mut self, player: usize, due: Instant) {
        if let Some(player) = self.players.get_mut(player) {
            player.unacknowledged.push_back(due);
        }
    }

    /// Votes whose acknowledgement or whose announcement is missing.
    pub(crate) fn outstanding(&self) -> usize {
        let unheard = self.rooms.iter().map(|room| room.told.len()).sum::<usize>();
        let missing = |player: &Player| player.unacknowledged.len().max(player.untold.len());
        unheard + self.players.iter().map(missing).sum::<usize>()
    }

    /// What was not as it should be, and what is still missing.
    pub(crate) fn wrongs(&self) -> Wrongs {
        let mut wrongs = self.wrongs.clone();
        wrongs.note_many(Wrong::Lost, self.rooms.iter().map(|room| room.told.len()).sum());
        for player in &self.players {
            wrongs.note_many(Wrong::NeverAcknowledged, player.unacknowledged.len());
            wrongs.note_many(Wrong::NeverTold, player.untold.len());
        }
        wrongs
    }

    pub(crate) fn received(&mut self, receiver: usize, message: &[u8], now: Instant) -> Reaction {
        self.messages += 1;
        if message.starts_with(VOTE) {
            self.tally.deliveries += 1;
            self.heard_vote(receiver, message, now);
            return Reaction::None;
        }
        match message {
            b"2" => Reaction::Pong,
            [b'4', b'3', ..] => {
                self.acknowledged(receiver, message, now);
                Reaction::Acknowledged
            }
            [b'4', b'2', ..] => {
                if let Some(at) = self.sequence.find(message) {
                    self.tally.deliveries += 1;
                    let sequence = number(message.get(at + 6..).unwrap_or_default());
                    let is_reset = message.starts_with(RESET);
                    self.heard(receiver, sequence, None, is_reset, now);
                }
                Reaction::None
            }
            _ => Reaction::None,
        }
    }

    fn heard_vote(&mut self, receiver: usize, message: &[u8], now: Instant) {
        let rest = message.get(VOTE.len()..).unwrap_or_default();
        let (voter, rest) = rest.split_at(rest.len().min(PLAYER_ID_BYTES));
        // The last twelve digits are the player's number.
        let voter = u32::try_from(number(voter.get(24..).unwrap_or_default())).unwrap_or(u32::MAX);
        let field = |finder: &Finder<'_>, name: usize| {
            finder.find(rest).map(|at| number(rest.get(at + name..).unwrap_or_default()))
        };
        let count = field(&self.vote_count, 12).unwrap_or_default();
        let Some(sequence) = field(&self.sequence, 6) else {
            return self.wrongs.note(Wrong::Unnumbered);
        };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.heard(receiver, sequence, Some((voter, count)), false, now);
    }

    fn heard(
        &mut self,
        receiver: usize,
        sequence: u64,
        vote: Option<(u32, u32)>,
        is_reset: bool,
        now: Instant,
    ) {
        let Some(player) = self.players.get_mut(receiver) else { return };
        let (room_index, last) = (player.room, player.last_sequence.replace(sequence));
        let Some(room) = self.rooms.get_mut(room_index as usize) else { return };
        let base = *room.base.get_or_insert_with(|| sequence.saturating_sub(1));
        let before = last.unwrap_or(base);
        if sequence != before + 1 {
            return self.wrongs.note(match sequence {
                _ if before < sequence => Wrong::Gap,
                _ if last == Some(sequence) => Wrong::Doubled,
                _ => Wrong::OutOfOrder,
            });
        }
        let place = usize::try_from(sequence - base - 1).unwrap_or(usize::MAX);
        if place == room.told.len() {
            let due = vote.and_then(|(voter, _)| {
                self.players.get_mut(voter as usize).and_then(|voter| voter.untold.pop_front())
            });
            if is_reset {
                room.voted.fill(false);
                room.votes = 0;
            }
            if let Some((voter, count)) = vote {
                let seat = self.players.get(voter as usize).map(|player| player.place as usize);
                if let Some(voted) = seat.and_then(|seat| room.voted.get_mut(seat))
                    && !std::mem::replace(voted, true)
                {
                    room.votes += 1;
                }
                if self.counts_votes && count != room.votes {
                    self.wrongs.note(Wrong::Miscounted);
                }
                if self.counts_votes && due.is_none() {
                    self.wrongs.note(Wrong::Uncast);
                }
            }
            room.told.push_back(Told { vote, due, heard_by: 0 });
        }
        let Some(told) = room.told.get_mut(place) else {
            return self.wrongs.note(Wrong::Gap);
        };
        if told.vote != vote {
            self.wrongs.note(Wrong::ToldDifferently);
        }
        told.heard_by += 1;
        if told.heard_by == room.size
            && let Some(due) = told.due
        {
            record(&mut self.tally.fan_outs, now.saturating_duration_since(due).as_nanos());
        }
        while room.told.front().is_some_and(|told| told.heard_by == room.size) {
            room.told.pop_front();
            room.base = room.base.map(|base| base + 1);
        }
    }

    fn acknowledged(&mut self, receiver: usize, message: &[u8], now: Instant) {
        self.tally.votes += 1;
        if memchr::memmem::find(message, b"\"ok\":true").is_none() {
            let code = text_behind(message, "\"code\":\"").unwrap_or("no code");
            self.wrongs.note(Wrong::Refused(code.to_owned()));
        }
        let due =
            self.players.get_mut(receiver).and_then(|player| player.unacknowledged.pop_front());
        match due {
            Some(due) => {
                record(&mut self.tally.acks, now.saturating_duration_since(due).as_nanos());
            }
            None => self.wrongs.note(Wrong::AcknowledgedTwice),
        }
    }
}

impl Tally {
    pub(crate) fn new() -> Self {
        // Up to a minute, to three digits.
        let histogram = || Histogram::new_with_max(60_000_000_000, 3).expect("sound bounds");
        Self { fan_outs: histogram(), acks: histogram(), deliveries: 0, votes: 0 }
    }
}

fn record(histogram: &mut Histogram<u64>, ns: u128) {
    histogram.saturating_record(u64::try_from(ns).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(voter: u32, count: u32, sequence: u64) -> Vec<u8> {
        format!(
            "42[\"vote:submitted\",{{\"playerId\":\"00000000-0000-4000-8000-{voter:012}\",\
             \"hasVoted\":true,\"voteCount\":{count},\"seq\":{sequence}}}]"
        )
        .into_bytes()
    }

    fn heard(messages: &[(usize, Vec<u8>)]) -> Ledger {
        let mut ledger = Ledger::new(1, 2, true);
        let now = Instant::now();
        for player in [0, 1] {
            ledger.sent(player, now);
        }
        for (receiver, message) in messages {
            ledger.received(*receiver, message, now);
        }
        ledger
    }

    #[test]
    fn what_is_right_is_not_wrong() {
        let told = [(0, vote(0, 1, 5)), (1, vote(0, 1, 5)), (1, vote(1, 2, 6)), (0, vote(1, 2, 6))];
        let acknowledgement = b"431[{\"ok\":true,\"seq\":5}]".to_vec();
        let acknowledged = [(0, acknowledgement.clone()), (1, acknowledgement)];
        let ledger = heard(&[&told[..], &acknowledged].concat());
        assert_eq!((ledger.wrongs().count(), ledger.outstanding()), (0, 0));
        assert_eq!((ledger.tally.deliveries, ledger.tally.fan_outs.len()), (4, 2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let gap = [(0, vote(0, 1, 5)), (0, vote(1, 2, 7))];
        let double = [(0, vote(0, 1, 5)), (0, vote(0, 1, 5))];
        let disorder = [(0, vote(0, 1, 5)), (0, vote(1, 2, 6)), (0, vote(0, 2, 5))];
        let count = [(0, vote(0, 2, 5))];
        let differs = [(0, vote(0, 1, 5)), (1, vote(1, 1, 5))];
        let uncast = [(0, vote(0, 1, 5)), (0, vote(0, 1, 6))];
        let refused = [(0, b"431[{\"ok\":false,\"error\":{\"code\":\"LOCKED\"}}]".to_vec())];
        let expected = [
            (&gap[..], "gap in the numbers"),
            (&double, "told twice"),
            (&disorder, "out of order"),
            (&count, "miscounted"),
            (&differs, "told differently"),
            (&uncast, "vote that nobody cast"),
            (&refused, "refused with LOCKED"),
        ];
        for (messages, name) in expected {
            let found = heard(messages).wrongs().to_string();
            assert!(found.contains(name), "{name}: {found}");
        }
    }

    #[test]
    fn what_is_missing_is_wrong() {
        let found = heard(&[(0, vote(0, 1, 5))]).wrongs().to_string();
        assert_eq!(
            found,
            "1 × lost by some of the room, 1 × vote never told, 2 × never acknowledged"
        );
    }
}
