//! What the store is asked, and how it answers.

use std::time::Duration;

use crate::metrics::counter::{Counter, CounterFamily, Gauge};
use crate::metrics::histogram::Histogram;
use crate::metrics::page::Page;
use crate::store::{CommitError, Receipt, StoreError};

#[derive(Debug)]
pub struct StoreCalls {
    /// In the order of `Call`.
    calls: Box<[CounterFamily]>,
    times: Histogram,
    commit_times: Histogram,
    committed_events: Counter,
    /// 1: it answered when it was last asked.
    up: Gauge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Commit,
    /// Attempts that lead to no commit, of seats and of those without one.
    Attempt,
    Create,
    Resolve,
    Load,
    KeepSnapshot,
    ReadAfter,
    /// The store has lost a session.
    Restore,
    Subscribe,
    Whisper,
    Ready,
    /// All of the directory.
    Directory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    Ok,
    /// Somebody else committed first.
    Conflict,
    /// It answered, and said no: full, taken, or gone.
    Refused,
    /// It answered, and there were too many attempts.
    Denied,
    /// No answer, or one that cannot be read.
    Failed,
}

impl Call {
    const ALL: [Self; 12] = [
        Self::Commit,
        Self::Attempt,
        Self::Create,
        Self::Resolve,
        Self::Load,
        Self::KeepSnapshot,
        Self::ReadAfter,
        Self::Restore,
        Self::Subscribe,
        Self::Whisper,
        Self::Ready,
        Self::Directory,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Attempt => "attempt",
            Self::Create => "create",
            Self::Resolve => "resolve",
            Self::Load => "load",
            Self::KeepSnapshot => "keep_snapshot",
            Self::ReadAfter => "read_after",
            Self::Restore => "restore",
            Self::Subscribe => "subscribe",
            Self::Whisper => "whisper",
            Self::Ready => "ready",
            Self::Directory => "directory",
        }
    }
}

const OUTCOMES: [&str; 5] = ["ok", "conflict", "refused", "denied", "failed"];

impl CallOutcome {
    pub const fn of<T>(result: &Result<T, StoreError>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(error) => Self::of_error(error),
        }
    }

    pub const fn of_commit(result: &Result<Receipt, CommitError>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(CommitError::Conflict(_)) => Self::Conflict,
            Err(CommitError::Denied(_)) => Self::Denied,
            Err(CommitError::Store(error)) => Self::of_error(error),
        }
    }

    const fn of_error(error: &StoreError) -> Self {
        match error {
            StoreError::Full | StoreError::Exists | StoreError::Gone => Self::Refused,
            StoreError::Unavailable(_) | StoreError::Broken(_) => Self::Failed,
        }
    }
}

impl Default for StoreCalls {
    fn default() -> Self {
        Self {
            calls: Call::ALL.iter().map(|_| CounterFamily::new("outcome", OUTCOMES)).collect(),
            times: Histogram::of_times(),
            commit_times: Histogram::of_times(),
            committed_events: Counter::default(),
            up: Gauge::default(),
        }
    }
}

impl StoreCalls {
    pub fn answered(&self, call: Call, outcome: CallOutcome, after: Duration) {
        if let Some(outcomes) = self.calls.get(call as usize) {
            outcomes.increment(outcome as usize);
        }
        let times = if call == Call::Commit { &self.commit_times } else { &self.times };
        times.observe_time(after);
        self.up.set((outcome != CallOutcome::Failed).into());
    }

    pub fn committed(&self, events: usize) {
        self.committed_events.add(events as u64);
    }

    pub fn is_up(&self) -> bool {
        self.up.value() == 1
    }

    pub fn commits(&self, outcome: CallOutcome) -> u64 {
        self.calls.get(Call::Commit as usize).map_or(0, |calls| calls.value(outcome as usize))
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.gauge("cardroom_store_up", "1: the store answered when it was last asked.");
        page.sample(&[], self.up.value());
        page.counter("cardroom_store_calls", "Calls of the store; a conflict is tried again.");
        for (call, outcomes) in Call::ALL.iter().zip(&self.calls) {
            outcomes.write(page, &[("call", call.as_str())]);
        }
        page.histogram("cardroom_store_call_seconds", "To the store and back, without commits.");
        self.times.write(page, &[]);
        page.histogram("cardroom_commit_seconds", "Commits, conflicts and failures included.");
        self.commit_times.write(page, &[]);
        page.counter("cardroom_committed_events", "Events in accepted commits.");
        page.sample(&[], self.committed_events.value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Missing;

    #[test]
    fn calls_stand_in_the_order_of_their_numbers() {
        for (index, call) in Call::ALL.iter().enumerate() {
            assert_eq!(*call as usize, index);
        }
    }

    #[test]
    fn a_conflict_is_an_answer_and_silence_is_none() {
        let calls = StoreCalls::default();
        let conflict = Err(CommitError::Conflict(Missing::Unreachable));
        calls.answered(Call::Commit, CallOutcome::of_commit(&conflict), Duration::ZERO);
        assert_eq!(calls.commits(CallOutcome::Conflict), 1);
        assert!(calls.is_up());
        let silence = Err::<(), _>(StoreError::Unavailable("away".to_owned()));
        calls.answered(Call::Load, CallOutcome::of(&silence), Duration::ZERO);
        assert!(!calls.is_up());
    }
}
