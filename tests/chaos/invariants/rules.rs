//! What the log must say of itself: `seq` counts what was announced, time
//! never runs back, a reveal shows the votes that lie there (I7), the right
//! people act (I12), timers fire once (I13).

use cardroom::poker::event::{Event, Fact};
use cardroom::poker::ids::{PlayerId, SessionId};
use cardroom::poker::results::results;
use cardroom::poker::session::Session;
use cardroom::poker::timer::TimerPhase;

use crate::truth::{Entry, Visitor};
use crate::verdict::Verdict;

pub(crate) struct Rules {
    session: SessionId,
    found: Vec<(&'static str, u64, &'static str)>,
}

impl Rules {
    pub(crate) const fn new(session: SessionId) -> Self {
        Self { session, found: Vec::new() }
    }

    pub(crate) fn finish(self, verdict: &mut Verdict) {
        let session = self.session;
        for (invariant, version, what) in self.found {
            verdict.violated(invariant, || format!("{session} at {version}: {what}"));
        }
    }
}

impl Visitor for Rules {
    fn before(&mut self, state: &Session, entry: &Entry) {
        let Entry { version, event, .. } = entry;
        let mut found = |invariant, what| self.found.push((invariant, *version, what));
        if event.seq != state.seq + u64::from(event.fact.is_announced()) {
            found("I6", "decided on another state than the one before it (seq)");
        }
        if event.at < state.touched_at {
            found("I6", "time runs back");
        }
        if let Fact::Revealed { results: shown, round, .. } = &event.fact {
            let should = results(state, shown.revealed_by, shown.reason, shown.revealed_at);
            if **shown != should || *round != state.round.id {
                found("I7", "the reveal does not show the votes that lie there");
            }
            if state.round.is_revealed() {
                found("I7", "a round is revealed twice");
            }
        }
        if let Fact::TimerChanged { timer } = &event.fact
            && let TimerPhase::Expired { ended_at } = timer.phase
            && state.timer.phase != (TimerPhase::Running { ends_at: ended_at })
        {
            found("I13", "a timer expires that does not run to that moment");
        }
        if let Some(by) = event.by
            && !may(state, event, by)
        {
            found("I12", "done by somebody who may not");
        }
    }
}

/// Whether somebody at the table may do what the fact says, in that state.
fn may(state: &Session, event: &Event, by: PlayerId) -> bool {
    let permissions = &state.settings.permissions;
    let holders = match &event.fact {
        Fact::Revealed { .. } => permissions.reveal,
        Fact::RoundReset { .. } => permissions.reset,
        Fact::StoryUpdated { .. } | Fact::StoryCreated { .. } | Fact::StoryActivated { .. } => {
            permissions.story
        }
        Fact::TimerChanged { .. } => permissions.timer,
        _ => return true,
    };
    state.permits(holders, by, event.at)
}
