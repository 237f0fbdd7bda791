//! The aggregate: one planning-poker session, whole.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::poker::deck::Deck;
use crate::poker::ids::{JoinCode, Millis, PlayerId, RoundId, SessionId, StoryId};
use crate::poker::names::{Avatar, PlayerName};
use crate::poker::policy::Policy;
use crate::poker::refusal::Refusal;
use crate::poker::round::{Phase, Round, RoundSummary};
use crate::poker::seat::{Announced, Presence, Role, Seat};
use crate::poker::seats::Seats;
use crate::poker::settings::{Holders, Settings};
use crate::poker::story::{Story, StoryText};
use crate::poker::timer::Timer;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub code: JoinCode,
    pub policy: Policy,
    pub status: Status,
    pub opened_at: Millis,
    /// The time of the latest event; time never runs backwards in a session.
    pub touched_at: Millis,
    pub expires_at: Millis,
    pub expiry_announced: bool,
    /// Counts the announced events; what clients call `seq`.
    pub seq: u64,
    pub settings: Settings,
    pub password: Option<PasswordHash>,
    /// Ordered by id; [`Session::seats_by_join`] gives the table's order.
    pub seats: Seats,
    pub host: PlayerId,
    pub acting_host: Option<PlayerId>,
    /// Seats that were removed, oldest first, with the name that is banned.
    pub removed: VecDeque<Removed>,
    /// In the order of the list; never empty.
    pub stories: Vec<Story>,
    pub next_story: u32,
    pub round: Round,
    pub next_round: u32,
    pub timer: Timer,
    /// Oldest first.
    pub history: VecDeque<RoundSummary>,
    /// The revealed round that `round:restore` would bring back.
    pub restorable: Option<Box<Restorable>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Open,
    Ended { at: Millis, dismissed: bool },
    Expired { at: Millis },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    pub player: PlayerId,
    /// Newcomers may not take this name.
    pub banned_name: Option<PlayerName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restorable {
    pub round: Round,
    pub replaced_at: Millis,
}

/// A password in PHC string form; opaque here, hidden everywhere.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    pub const fn new(phc: String) -> Self {
        Self(phc)
    }

    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

/// What a session begins with: the first entry of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub id: SessionId,
    pub code: JoinCode,
    pub policy: Policy,
    pub settings: Settings,
    pub password: Option<PasswordHash>,
    /// The host's seat; it waits, unclaimed, for its holder to join.
    pub host: PlayerId,
    pub host_name: PlayerName,
    pub host_avatar: Avatar,
}

impl Session {
    pub fn open(opening: &Opening, now: Millis) -> Self {
        let first_story = StoryId(1);
        let first_round = RoundId(1);
        let host = Seat {
            id: opening.host,
            name: opening.host_name.clone(),
            avatar: opening.host_avatar.clone(),
            role: Role::Host,
            is_spectator: false,
            joined_at: now,
            last_seen_at: now,
            generation: 0,
            instances: std::collections::BTreeSet::new(),
            presence: Presence::Unclaimed,
            is_away: false,
            announced: Announced { is_online: false, is_away: false, due: None },
            nudged_at: None,
            in_history: false,
            outcomes: VecDeque::new(),
        };
        Self {
            id: opening.id,
            code: opening.code,
            policy: opening.policy.clone(),
            status: Status::Open,
            opened_at: now,
            touched_at: now,
            expires_at: now.add_ms(opening.policy.session_ttl_ms),
            expiry_announced: false,
            seq: 0,
            settings: opening.settings.clone(),
            password: opening.password.clone(),
            seats: BTreeMap::from([(opening.host, host)]).into(),
            host: opening.host,
            acting_host: None,
            removed: VecDeque::new(),
            stories: vec![Story::new(first_story, StoryText::default(), now)],
            next_story: 2,
            round: Round::new(first_round, first_story, now),
            next_round: 2,
            timer: Timer::idle(),
            history: VecDeque::new(),
            restorable: None,
        }
    }

    pub fn deck(&self) -> &Deck {
        &self.settings.deck
    }

    pub const fn is_open(&self) -> bool {
        matches!(self.status, Status::Open)
    }

    /// The players at the table in the order in which they joined.
    pub fn players(&self) -> Vec<&Seat> {
        let mut seats: Vec<&Seat> = self.seats.values().filter(|seat| seat.is_at_table()).collect();
        seats.sort_by_key(|seat| (seat.joined_at, seat.id));
        seats
    }

    pub fn player_count(&self) -> u32 {
        self.seats.at_table_count()
    }

    /// The seat that a token opens: it is still there, and the token is of its
    /// generation.
    pub fn seat_of_token(&self, player: PlayerId, generation: u32) -> Result<&Seat, Refusal> {
        match self.seats.get(&player) {
            _ if self.was_removed(player) => Err(Refusal::PlayerRemoved),
            Some(seat) if seat.generation == generation => Ok(seat),
            _ => Err(Refusal::InvalidPlayerToken),
        }
    }

    pub fn was_removed(&self, player: PlayerId) -> bool {
        self.removed.iter().any(|removed| removed.player == player)
    }

    pub const fn next_story_id(&self) -> StoryId {
        StoryId(self.next_story)
    }

    /// Who counts for "everybody has voted": no spectator, and at the table
    /// or with a vote in this round.
    pub fn is_eligible(&self, seat: &Seat) -> bool {
        !seat.is_spectator && (seat.is_at_table() || self.round.has_vote_of(seat.id))
    }

    pub fn eligible_count(&self) -> u32 {
        self.seats.eligible_count(&self.round)
    }

    pub fn vote_count(&self) -> u32 {
        u32::try_from(self.round.votes.len()).unwrap_or(u32::MAX)
    }

    /// Whether a running round waits for nobody; one without votes does not
    /// count. Whoever has voted is eligible, so it is enough to count.
    pub fn everybody_voted(&self) -> bool {
        !self.round.votes.is_empty() && self.eligible_count() == self.vote_count()
    }

    pub fn is_host(&self, player: PlayerId) -> bool {
        self.host == player || self.acting_host == Some(player)
    }

    /// Host, acting host, or facilitator by role.
    pub fn facilitates(&self, player: PlayerId) -> bool {
        self.is_host(player) || self.seats.get(&player).is_some_and(Seat::is_facilitator)
    }

    /// Whether no facilitator has been online for the grace period, so that
    /// everybody may run the round.
    pub fn is_unattended(&self, now: Millis) -> bool {
        let grace = self.policy.facilitator_grace_ms;
        self.seats
            .values()
            .filter(|seat| seat.is_facilitator())
            .all(|seat| seat.offline_since().is_some_and(|since| grace <= now.since(since)))
    }

    /// Whether `player` holds a permission that `holders` have.
    pub fn permits(&self, holders: Holders, player: PlayerId, now: Millis) -> bool {
        holders == Holders::Everyone || self.facilitates(player) || self.is_unattended(now)
    }

    pub fn story(&self, id: StoryId) -> Option<&Story> {
        self.stories.iter().find(|story| story.id == id)
    }

    /// The story of the running round. It exists as long as the session: the
    /// rules refuse to delete it.
    pub fn current_story(&self) -> &Story {
        self.story(self.round.story).unwrap_or(&self.stories[0])
    }

    /// The rounds that may still be revealed or hold the table: the running
    /// one, and those that wait for their story to come back.
    fn rounds_on_hand(&self) -> impl Iterator<Item = &Round> {
        let parked = self.stories.iter().filter_map(|story| story.parked.as_deref());
        std::iter::once(&self.round).chain(parked)
    }

    pub(super) fn has_vote_on_hand(&self, player: PlayerId) -> bool {
        self.rounds_on_hand().any(|round| round.has_vote_of(player))
    }

    /// The seats that go once nobody has sat on them for long enough. The
    /// host's waits, and so does one whose vote lies on the table, waits with
    /// a parked round, or is in the history.
    pub(super) fn forgettable_seats(&self) -> impl Iterator<Item = (&Seat, Millis)> {
        let rounds: Vec<&Round> = self.rounds_on_hand().collect();
        self.seats.away().filter_map(move |seat| {
            let Presence::Away { kept_until, .. } = seat.presence else { return None };
            let is_kept = seat.id == self.host
                || seat.in_history
                || rounds.iter().any(|round| round.has_vote_of(seat.id));
            (!is_kept).then_some((seat, kept_until))
        })
    }

    pub const fn is_counting_down(&self) -> bool {
        matches!(self.round.phase, Phase::Countdown { .. })
    }
}
