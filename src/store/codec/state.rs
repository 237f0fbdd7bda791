//! The state of a session, type by type.

use crate::poker::card::Card;
use crate::poker::deck::Deck;
use crate::poker::ids::{
    InstanceId, JoinCode, Millis, PlayerId, RequestId, RoundId, SessionId, StoryId,
};
use crate::poker::names::{
    Avatar, DeckName, Description, Emoji, FinalEstimate, Link, PlayerName, SessionName, StoryKey,
    StoryTitle,
};
use crate::poker::policy::Policy;
use crate::poker::round::{Phase, Results, RevealReason, RevealedVote, Round, RoundSummary, Vote};
use crate::poker::seat::{Announced, Presence, Role, Seat};
use crate::poker::session::{Opening, PasswordHash, Removed, Restorable, Session, Status};
use crate::poker::settings::{Holders, Permissions, Settings};
use crate::poker::story::{Story, StoryText};
use crate::poker::tally::{
    Advice, CardCount, Confidence, Direction, Level, Outlier, SpecialCounts, Tally,
};
use crate::poker::timer::{OnExpire, Timer, TimerPhase};
use crate::poker::view::{Counts, PlayerView, RoundView, StoryStatus, StoryView};
use crate::store::codec::CodecError;
use crate::store::codec::primitives::{Coded, Source, choice, put_text, record};

record! {
    Session {
        id, code, policy, status, opened_at, touched_at, expires_at, expiry_announced, seq,
        settings, password, seats, host, acting_host, removed, stories, next_story, round,
        next_round, timer, history, restorable,
    }

    Opening { id, code, policy, settings, password, host, host_name, host_avatar }

    Policy {
        disconnect_grace_ms, drain_grace_ms, host_grace_ms, facilitator_grace_ms, seat_kept_ms,
        online_coalesce_ms, away_coalesce_ms, session_ttl_ms, expiry_notice_ms, ended_linger_ms,
        restore_window_ms, nudge_interval_ms, players_max, kept_seats_max, stories_max,
        history_rounds_max, removed_seats_max,
    }

    Settings {
        name, deck, auto_reveal, reveal_countdown_ms, allow_change_after_reveal, anonymous,
        confidence, list_passes, timer_seconds, timer_auto_start, timer_on_expire,
        consensus_percent, permissions, locked, max_players, reactions,
    }

    Permissions { reveal, reset, story, timer }

    Removed { player, banned_name }

    Restorable { round, replaced_at }

    Seat {
        id, name, avatar, role, is_spectator, joined_at, last_seen_at, generation, instances,
        presence, is_away, announced, nudged_at, in_history, outcomes,
    }

    Announced { is_online, is_away, due }

    Story { id, text, final_estimate, rounds, was_revealed, updated_at, parked }

    StoryText { title, description, key, link }

    Round { id, story, phase, votes, started_at }

    RoundSummary { id, story, started_at, ended_at, vote_count, results, voters }

    Results { votes, tally, revealed_at, revealed_by, reason }

    RevealedVote { player, name, card, confidence, initial, cast_at }

    Tally {
        total_votes, estimate_count, special_counts, distribution, has_consensus, level, advice,
        agreement_e4, support_e4, modes, suggested, average_e2, median_e2, deviation_e2, lowest,
        highest, spread_steps, outliers, average_confidence_e2, low_confidence_count,
    }

    SpecialCounts { unknown, breaks, infinite }

    CardCount { card, count }

    Outlier { player, card, direction, steps }

    Timer { phase, duration_ms, on_expire, started_at, started_by }

    PlayerView {
        id, name, avatar, role, is_spectator, is_host, is_acting_host, is_online, is_away,
        has_voted, joined_at, last_seen_at,
    }

    StoryView { id, text, final_estimate, order_index, is_active, status, rounds, updated_at }

    RoundView { id, story, phase, counts, voted, started_at }

    Counts { votes, eligible }
}

choice! {
    Status { 0 Open, 1 Ended { at, dismissed }, 2 Expired { at } }

    Holders { 0 Everyone, 1 Facilitators }

    Role { 0 Host, 1 Facilitator, 2 Player }

    Presence {
        0 Online { since },
        1 Grace { since, leaves_at },
        2 Away { since, kept_until },
        3 Unclaimed,
    }

    Phase { 0 Voting, 1 Countdown { reveal_at }, 2 Revealed(results) }

    RevealReason { 0 Manual, 1 Auto, 2 Timer }

    OnExpire { 0 Nothing, 1 Reveal }

    TimerPhase {
        0 Idle,
        1 Running { ends_at },
        2 Paused { remaining_ms },
        3 Expired { ended_at },
    }

    StoryStatus { 0 Pending, 1 Voting, 2 Revealed, 3 Estimated, 4 Skipped }

    Level { 0 None, 1 Single, 2 Split, 3 Near, 4 Consensus, 5 Unanimous }

    Advice {
        0 NoVotes,
        1 TakeBreak,
        2 SplitStory,
        3 NeedInfo,
        4 Accept,
        5 HearOutliers,
        6 Confirm,
        7 Discuss,
    }

    Direction { 0 Low, 1 High }
}

/// Opened here for the store alone; see the module.
impl Coded for Vote {
    fn put(&self, out: &mut Vec<u8>) {
        let vote = self.disclose();
        vote.card.put(out);
        vote.confidence.put(out);
        vote.initial.cloned().put(out);
        vote.cast_at.put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        let card = Coded::take(from)?;
        let confidence = Coded::take(from)?;
        let initial = Coded::take(from)?;
        Ok(Self::restored(card, confidence, initial, Coded::take(from)?))
    }
}

impl Coded for Deck {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self.id(), out);
        put_text(self.name(), out);
        self.cards().to_vec().put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        let id = from.text()?;
        let name = DeckName::take(from)?;
        Self::restored(id, name, Coded::take(from)?).map_err(|_| CodecError::Value("deck"))
    }
}

impl Coded for PasswordHash {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self.phc(), out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.text().map(|phc| Self::new(phc.to_owned()))
    }
}

impl Coded for Confidence {
    fn put(&self, out: &mut Vec<u8>) {
        self.get().put(out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        Self::try_from(u8::take(from)?).map_err(|_| CodecError::Value("confidence"))
    }
}

impl Coded for SessionId {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.array().map(Self::from_random)
    }
}

impl Coded for PlayerId {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        from.array().map(Self::from_bytes)
    }
}

macro_rules! numbers {
    ($($type:ident),+) => {$(
        impl Coded for $type {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
                Coded::take(from).map(Self)
            }
        }
    )+};
}
numbers!(StoryId, RoundId, InstanceId, Millis);

/// Text that keeps its rules; reading it checks them, which changes nothing
/// of what was parsed before.
macro_rules! parsed {
    ($($type:ident),+) => {$(
        impl Coded for $type {
            fn put(&self, out: &mut Vec<u8>) {
                put_text(self.as_str(), out);
            }

            fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
                from.text()?.parse().map_err(|_| CodecError::Value(stringify!($type)))
            }
        }
    )+};
}
parsed!(
    JoinCode,
    RequestId,
    Card,
    PlayerName,
    SessionName,
    DeckName,
    StoryTitle,
    Description,
    StoryKey,
    FinalEstimate,
    Link,
    Avatar,
    Emoji
);
