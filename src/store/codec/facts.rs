//! Events, fact by fact.

use crate::poker::event::{EndReason, Event, Fact, HostReason, LeaveReason};
use crate::poker::reply::Reply;
use crate::store::codec::CodecError;
use crate::store::codec::primitives::{Coded, Source, choice, put_text, record};

record! {
    Event { at, seq, by, request, fact }
}

choice! {
    Fact {
        0 Opened(opening),
        1 SeatTaken { player, instance, player_count },
        2 SeatReturned { player, instance, player_count },
        3 SeatConnected { player, instance },
        4 SeatDisconnected { player, instance, leaves_at },
        5 AwaySet { player, is_away },
        6 StatusSettled { player, is_online, is_away, last_seen_at, announce },
        7 SeatLeft { player, reason, player_count },
        8 SeatRemoved { player, banned_name, player_count },
        9 SeatForgotten { player },
        10 SeatUpdated { player },
        11 HostChanged { new, previous, reason },
        12 Nudged { players },
        13 Reacted { player, emoji },
        14 VoteCast { player, story, round, vote, counts },
        15 VoteDropped { player, story, round, counts },
        16 CountdownStarted { round, reveal_at },
        17 CountdownCancelled { round },
        18 Revealed { story, round, results },
        19 VoteAmended { player, story, round, vote, results },
        20 RoundReset { new_story, story, round, timer },
        21 RoundRestored { story, round, results },
        22 StoryUpdated { story },
        23 StoryCreated { story, view, client_ref },
        24 StoriesImported { stories, views },
        25 StoriesReordered { order, views },
        26 StoryDeleted { story },
        27 StoryActivated { story, previous, round, timer },
        28 TimerChanged { timer },
        29 Configured { settings, password, changed },
        30 ExpiryAnnounced { expires_at },
        31 Ended { reason },
        32 Dismissed,
    }

    LeaveReason { 0 Left, 1 Disconnected }

    HostReason { 0 Disconnected, 1 Returned, 2 Left, 3 Transfer, 4 ActingLeft }

    EndReason { 0 Ended, 1 Expired }

    Reply {
        0 Done,
        1 Joined { player },
        2 Named { name },
        3 Voted { story, round, card, confidence },
        4 Revealed { round, already },
        5 NewRound { story, round },
        6 Story { story },
        7 Imported { stories },
        8 Nudged { players },
    }
}

/// What `Fact::Configured.changed` may name: the names of
/// `SettingsPatch::applied_to`, and the password.
pub(super) const SETTINGS: [&str; 17] = [
    "name",
    "deck",
    "autoReveal",
    "revealCountdownMs",
    "allowChangeAfterReveal",
    "anonymous",
    "confidence",
    "listPasses",
    "timerSeconds",
    "timerAutoStart",
    "timerOnExpire",
    "consensusThreshold",
    "permissions",
    "locked",
    "maxPlayers",
    "reactions",
    "passwordProtected",
];

impl Coded for &'static str {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self, out);
    }

    fn take(from: &mut Source<'_>) -> Result<Self, CodecError> {
        let text = from.text()?;
        let known = SETTINGS.into_iter().find(|name| *name == text);
        known.ok_or(CodecError::Value("setting"))
    }
}
