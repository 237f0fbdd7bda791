//! Who may do what, and when: the catalogue's §2 and §5 as one table. Nothing
//! here looks at the rules of the server.

use cardroom::api::client_event::EventName;

use Phase::*;
use Phases::{In, NotIn};
use Who::*;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Host,
    /// A player who acts for the absent host.
    Acting,
    /// Promoted by the host.
    Facilitator,
    Player,
    Spectator,
    /// Whose seat was taken away.
    Removed,
    /// Who has not joined.
    Stranger,
}

impl Role {
    pub(crate) const ALL: &[Self] = &[
        Self::Host,
        Self::Acting,
        Self::Facilitator,
        Self::Player,
        Self::Spectator,
        Self::Removed,
        Self::Stranger,
    ];
}

/// Where the session stands. There is always a current story (§2), so that a
/// session without one is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Nobody has voted.
    Fresh,
    /// Everybody who may vote has.
    Voted,
    Countdown,
    Revealed,
    /// Revealed, where votes may be changed afterwards.
    Amendable,
    /// A new round, right after a revealed one.
    JustReset,
    /// Revealed, and the estimate is written down.
    Finalized,
    /// On a new story, while the votes of the one before wait.
    Parked,
    TimerRunning,
    TimerPaused,
    TimerExpired,
    Locked,
    /// The preset that gives the four permissions to everyone.
    Open,
    /// No facilitator has been there for half a minute.
    Unattended,
    Ended,
    Expired,
}

impl Phase {
    pub(crate) const ALL: &[Self] = &[
        Fresh,
        Voted,
        Countdown,
        Revealed,
        Amendable,
        JustReset,
        Finalized,
        Parked,
        TimerRunning,
        TimerPaused,
        TimerExpired,
        Locked,
        Open,
        Unattended,
        Ended,
        Expired,
    ];

    /// Whether there are people of this role at all.
    pub(crate) fn has(self, role: Role) -> bool {
        match role {
            Role::Host | Role::Facilitator => self != Unattended,
            _ => true,
        }
    }
}

/// The column "who" of §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Who wants a seat, or has one.
    Anyone,
    Member,
    /// Member and no spectator.
    Voter,
    /// Who may have a vote to take back; whoever has none changes nothing.
    OwnVote,
    Facilitators,
    Host,
    Reveal,
    Reset,
    Story,
    Timer,
}

impl Who {
    /// `details.required` of FORBIDDEN.
    pub(crate) const fn required(self) -> &'static str {
        match self {
            Anyone | Member | Voter | OwnVote => "",
            Facilitators => "facilitator",
            Host => "host",
            Reveal => "reveal",
            Reset => "reset",
            Story => "story",
            Timer => "timer",
        }
    }

    pub(crate) fn includes(self, role: Role, phase: Phase) -> bool {
        match self {
            Anyone | Member | Voter | OwnVote => true,
            // "`isHost` = host or acting host."
            Host => matches!(role, Role::Host | Role::Acting),
            Facilitators => matches!(role, Role::Host | Role::Acting | Role::Facilitator),
            // "everyone or facilitators"; with the fallback for an empty chair.
            Reveal | Reset | Story | Timer => {
                matches!(phase, Open | Unattended) || Facilitators.includes(role, phase)
            }
        }
    }
}

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Accepted, and the room is told (or the asker, where it is a question).
    Done,
    /// Accepted, and nothing is left to be done.
    Same,
    Refused(&'static str),
}

/// One row: who may, and in which phases it comes to something else.
pub(crate) struct Rule {
    pub(crate) event: EventName,
    pub(crate) who: Who,
    but: &'static [(Phases, Verdict)],
}

enum Phases {
    In(&'static [Phase]),
    NotIn(&'static [Phase]),
}

impl Phases {
    fn include(&self, phase: Phase) -> bool {
        match self {
            Self::In(phases) => phases.contains(&phase),
            Self::NotIn(phases) => !phases.contains(&phase),
        }
    }
}

const SAME: Verdict = Verdict::Same;

/// Rounds in which there is no vote.
const EMPTY: Phases = In(&[Fresh, JustReset, Parked]);
const SHOWN: Phases = In(&[Revealed, Amendable, Finalized]);
const NO_TIMER: Phases = NotIn(&[TimerRunning, TimerPaused, TimerExpired]);

/// What each is asked to do is in the tests: another card than before, a
/// story that is not the current one, a seat that is somebody else's, …
pub(crate) const RULES: &[Rule] = &[
    rule(EventName::SessionCreate, Anyone, &[]),
    rule(EventName::SessionJoin, Anyone, &[]),
    rule(EventName::SessionLeave, Member, &[]),
    rule(EventName::SessionSync, Member, &[]),
    rule(EventName::SessionConfigure, Host, &[]),
    rule(EventName::SessionLock, Facilitators, &[(In(&[Locked]), SAME)]),
    rule(EventName::SessionEnd, Host, &[]),
    rule(EventName::PlayerUpdate, Member, &[]),
    rule(EventName::PlayerSetSpectator, Facilitators, &[]),
    rule(EventName::PlayerRemove, Facilitators, &[]),
    rule(EventName::PlayerPromote, Host, &[]),
    // No facilitator is there whom one could demote.
    rule(EventName::PlayerDemote, Host, &[(In(&[Unattended]), no("PLAYER_NOT_FOUND"))]),
    rule(EventName::PlayerTransfer, Host, &[]),
    rule(EventName::PlayerNudge, Facilitators, &[]),
    rule(EventName::PresenceSet, Member, &[]),
    rule(EventName::ReactionSend, Member, &[]),
    rule(EventName::VoteSubmit, Voter, &[(SHOWN, no("ROUND_REVEALED"))]),
    rule(
        EventName::VoteChange,
        Voter,
        &[(EMPTY, no("NO_VOTE_TO_CHANGE")), (In(&[Revealed, Finalized]), no("ROUND_REVEALED"))],
    ),
    rule(EventName::VoteRetract, OwnVote, &[(EMPTY, SAME), (SHOWN, no("ROUND_REVEALED"))]),
    rule(EventName::CardsReveal, Reveal, &[(EMPTY, no("NO_VOTES")), (SHOWN, SAME)]),
    rule(EventName::CountdownCancel, Reveal, &[(NotIn(&[Countdown]), SAME)]),
    rule(EventName::GameReset, Reset, &[(EMPTY, SAME)]),
    rule(EventName::RoundRestore, Reset, &[(NotIn(&[JustReset]), no("STALE_ROUND"))]),
    rule(EventName::StoryUpdate, Story, &[]),
    rule(EventName::StoryCreate, Story, &[]),
    rule(EventName::StoryImport, Facilitators, &[]),
    // §2 fixes deleting and finalizing to facilitators; the table of events
    // gives them to the permission, and prevails, as it does for locking.
    rule(EventName::StoryDelete, Story, &[]),
    rule(EventName::StoryReorder, Story, &[]),
    rule(EventName::StoryActivate, Story, &[]),
    rule(EventName::StoryFinalize, Story, &[(In(&[Finalized]), SAME)]),
    rule(EventName::TimerStart, Timer, &[]),
    rule(EventName::TimerStop, Timer, &[(NO_TIMER, SAME)]),
    rule(EventName::TimerPause, Timer, &[(NotIn(&[TimerRunning]), no("TIMER_NOT_RUNNING"))]),
    rule(EventName::TimerResume, Timer, &[(NotIn(&[TimerPaused]), no("TIMER_NOT_PAUSED"))]),
    rule(EventName::TimerExtend, Timer, &[(NO_TIMER, no("TIMER_NOT_RUNNING"))]),
    rule(EventName::HistoryGet, Member, &[]),
    rule(EventName::Heartbeat, Member, &[]),
];

const fn rule(event: EventName, who: Who, but: &'static [(Phases, Verdict)]) -> Rule {
    Rule { event, who, but }
}

const fn no(code: &'static str) -> Verdict {
    Verdict::Refused(code)
}

impl Rule {
    pub(crate) fn of(event: EventName) -> &'static Self {
        RULES.iter().find(|rule| rule.event == event).expect("a rule for every event")
    }

    /// What the catalogue says of `role` in `phase`.
    pub(crate) fn expected(&self, role: Role, phase: Phase) -> Verdict {
        match phase {
            Ended => return Verdict::Refused("SESSION_ENDED"),
            Expired => return Verdict::Refused("SESSION_EXPIRED"),
            _ => {}
        }
        match (role, self.who) {
            // "Locked session: existing tokens may return; new seats are refused."
            (Role::Stranger, Anyone) if phase == Locked => {
                return Verdict::Refused("SESSION_LOCKED");
            }
            (Role::Stranger, Anyone) => {}
            (Role::Stranger, _) => return Verdict::Refused("NOT_JOINED"),
            (Role::Removed, _) => return Verdict::Refused("PLAYER_REMOVED"),
            _ => {}
        }
        if !self.who.includes(role, phase) {
            return Verdict::Refused("FORBIDDEN");
        }
        if role == Role::Spectator && self.who == Voter {
            return Verdict::Refused("SPECTATOR_CANNOT_VOTE");
        }
        let exception = self.but.iter().find(|(phases, _)| phases.include(phase));
        match exception {
            Some((_, verdict)) => *verdict,
            None if self.who == OwnVote && role == Role::Spectator => SAME,
            None => Verdict::Done,
        }
    }
}
