//! Jobs that are decided together and share one commit.

use std::ops::Range;
use std::sync::Arc;

use tracing::warn;

use crate::api::failure::Failure;
use crate::connection::Socket;
use crate::planted::{self, Bug};
use crate::poker::command::{Action, Actor, Command, Departure, Join};
use crate::poker::event::Event;
use crate::poker::evolve::evolve;
use crate::poker::ids::{PlayerId, RequestId};
use crate::poker::play::{catch_up, play};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::session::{Session, Status};
use crate::protocol::SocketId;
use crate::store::{
    Attempt, CommitError, Denied, Entry, Lifetime, Loaded, Receipt, StoreError, Tombstone,
};
use crate::table::answer::Answer;
use crate::table::attempts::{Admitted, TooMany};
use crate::table::entropy;
use crate::table::handle::{Asked, Job, JoinAnswer, Look};
use crate::table::recovery_failure::RecoveryFailure;
use crate::table::registry::Table;
use crate::table::session_task::SessionTask;
use crate::table::session_task::recovering::Recovery;

/// Attempts at one commit while others commit as well. Each that is lost is a
/// commit of somebody else, so that somebody always gets on; and it brings what
/// was missed, so that the next is made at once: after a pause it would be
/// made behind the others again, and lost. Among three that never rest, one in
/// 10²² runs out of these.
const ATTEMPTS_MAX: u32 = 128;
/// How soon a client may try again when the store is away.
const RETRY_AFTER_S: u32 = 1;
/// A session is kept this much longer than it lives, so that whoever serves
/// it can say that it has expired; and a store may be ten seconds behind.
const EXPIRY_SLACK_MS: u64 = 60_000;

/// One job in a batch and what became of it.
pub(super) struct Turn {
    pub(super) work: Work,
    /// Its part of the batch's events.
    pub(super) events: Range<usize>,
    pub(super) outcome: Result<Reply, Refusal>,
    pub(super) seq: u64,
}

impl Turn {
    fn attempt(&self) -> Option<Attempt> {
        self.work.attempt.as_ref().map(Admitted::attempt)
    }
}

/// A job as a command, and who waits for it.
pub(super) struct Work {
    pub(super) command: Option<Command>,
    pub(super) origin: Option<SocketId>,
    pub(super) waiting: Waiting,
    /// What the store has yet to count before this is answered.
    pub(super) attempt: Option<Admitted>,
}

pub(super) enum Waiting {
    Answer(Answer),
    Join { socket: Socket, answer: JoinAnswer },
    Look(Look),
    Recover(Box<Recovery>),
}

impl Work {
    /// A snapshot and a look must show the session exactly as it was told so
    /// far, so a batch ends with them.
    pub(super) const fn shows_session(&self) -> bool {
        self.is_join() || matches!(self.waiting, Waiting::Look(_) | Waiting::Recover(_))
    }

    /// Newcomers of one batch are seated together, behind all of it.
    pub(super) const fn is_join(&self) -> bool {
        matches!(self.waiting, Waiting::Join { .. })
    }

    /// Something that nobody is charged for.
    pub(super) const fn free(command: Option<Command>, waiting: Waiting) -> Self {
        Self { command, origin: None, waiting, attempt: None }
    }

    fn reveals(&self) -> bool {
        matches!(self.command, Some(Command { action: Action::Reveal { .. }, .. }))
    }
}

impl SessionTask {
    /// The job as a command; `None` if it has been answered.
    pub(super) async fn work(&mut self, job: Job) -> Option<Work> {
        Some(match job {
            Job::Recover(recovering) => return self.begin_recovery(recovering).await,
            Job::Command { command, answer, origin, attempt } => {
                let attempt = match self.admit(attempt) {
                    Ok(attempt) => attempt,
                    Err(too_many) => {
                        answer.failed(too_many.into());
                        return None;
                    }
                };
                let waiting = Waiting::Answer(answer);
                Work { command: Some(command), origin, waiting, attempt }
            }
            Job::Join { join, request, socket, answer } => Work {
                command: Some(self.join_command(join, request)),
                origin: Some(socket.id()),
                waiting: Waiting::Join { socket, answer },
                // Counted before the session was looked for.
                attempt: None,
            },
            Job::Leave { socket, answer } => {
                let command = self
                    .members
                    .remove(&socket)
                    .map(|player| self.depart_command(player, Departure::Leaving));
                Work::free(command, Waiting::Answer(answer))
            }
            Job::Look(look) => Work::free(None, Waiting::Look(look)),
        })
    }

    pub(super) fn departed(&mut self, socket: &Socket, manner: Departure) -> Option<Work> {
        let player = self.members.remove(socket)?;
        let command = self.depart_command(player, manner);
        Some(Work::free(Some(command), Waiting::Answer(Answer::Nobody)))
    }

    /// The attempt, if it is one and this instance lets it through.
    fn admit(&mut self, asked: Asked) -> Result<Option<Admitted>, TooMany> {
        let (player, event) = match asked {
            Asked::Nothing => return Ok(None),
            Asked::Admitted(admitted) => return Ok(Some(admitted)),
            Asked::OfSeat { player, event } => (player, event),
        };
        let (limit, at) = (self.shared.options.rate_limit(event), self.shared.store.now());
        let limits = Arc::clone(self.members.limits(player));
        limits.admit(event, limit, at).map_err(|exceeded| TooMany { limit, exceeded })?;
        Ok(Some(Admitted { player, event, limit, at, limits }))
    }

    /// Seats that the session believes to be here and that are not: they left,
    /// or joined in vain, while the store could not be told.
    pub(super) fn absentees(&self) -> Vec<Work> {
        let seats = self.session.seats.values();
        seats
            .filter(|seat| seat.instances.contains(&self.instance()))
            .filter(|seat| !self.members.has_seat(seat.id))
            .map(|seat| {
                let command = self.depart_command(seat.id, Departure::Disconnected);
                Work::free(Some(command), Waiting::Answer(Answer::Nobody))
            })
            .collect()
    }

    pub(super) fn join_command(&self, join: Join, request: Option<RequestId>) -> Command {
        Command { by: Actor::Visitor, request, action: Action::Join(join) }
    }

    fn depart_command(&self, player: PlayerId, manner: Departure) -> Command {
        let instance = self.instance();
        Command::by_house(Action::Depart { player, instance, manner })
    }

    /// Decides, commits and answers; decides again when somebody was faster.
    pub(super) async fn execute(&mut self, mut batch: Vec<Work>) {
        for _ in 0..ATTEMPTS_MAX {
            if self.is_ahead {
                if let Err(error) = self.resync().await {
                    return self.fail(batch, &error);
                }
                // In front: whoever comes back is not sent away behind it.
                let mut house = self.absentees();
                house.extend(self.unlisted());
                house.append(&mut batch);
                batch = house;
            }
            let (events, turns) = self.decide(batch);
            let entries = self.entries(&events);
            if planted::is(Bug::AckBeforeCommit) {
                self.deliver(&events, &entries, turns).await;
                return drop(self.commit(&entries, Vec::new()).await);
            }
            let attempts = turns.iter().filter_map(Turn::attempt).collect();
            match self.commit(&entries, attempts).await {
                Ok(()) => return self.deliver(&events, &entries, turns).await,
                Err(CommitError::Conflict(missing)) => {
                    batch = turns.into_iter().map(|turn| turn.work).collect();
                    self.fold(missing).await;
                }
                Err(CommitError::Denied(denied)) => {
                    // Nothing happened: the others are decided as if those had
                    // never asked.
                    self.session = self.committed.clone();
                    self.is_ahead = false;
                    batch = self.deny(turns, &denied, entries.is_empty());
                }
                // Lost, it is put back; over, there is nothing to put back.
                Err(CommitError::Store(StoreError::Gone)) => {
                    batch = turns.into_iter().map(|turn| turn.work).collect();
                }
                Err(CommitError::Store(error)) => {
                    let batch = turns.into_iter().map(|turn| turn.work).collect();
                    return self.fail(batch, &error);
                }
            }
        }
        warn!(session.id = %self.handle.id, attempts = ATTEMPTS_MAX, "gave up on a contended session");
        self.fail(batch, &StoreError::Unavailable("contended".to_owned()));
    }

    /// Plays the batch on the replica: deadlines that are due, then the jobs.
    fn decide(&mut self, batch: Vec<Work>) -> (Vec<Event>, Vec<Turn>) {
        let now = self.shared.store.now();
        let mut events = catch_up(&mut self.session, now);
        if planted::is(Bug::TimerFiresTwice) {
            events.extend(events.clone());
        }
        let mut turns = Vec::with_capacity(batch.len());
        for work in batch {
            let from = events.len();
            if planted::is(Bug::RevealFromStaleReplica) && work.reveals() {
                self.session.round.votes.pop_first();
            }
            if planted::is(Bug::ForgetRequests) {
                self.session.seats.values_mut().for_each(|seat| seat.outcomes.clear());
            }
            let outcome = match &work.command {
                None => Ok(Reply::Done),
                Some(command) => play(&mut self.session, command, now).map(|played| {
                    events.extend(played.events);
                    played.reply
                }),
            };
            let seq = self.session.seq;
            turns.push(Turn { work, events: from..events.len(), outcome, seq });
        }
        // Whoever is shown the session last is shown it before what is due
        // now, which follows in a turn of its own.
        if !turns.last().is_some_and(|turn| turn.work.shows_session()) {
            events.extend(catch_up(&mut self.session, now));
        }
        (events, turns)
    }

    /// What is to be committed: the events that are not volatile.
    fn entries(&self, events: &[Event]) -> Arc<[Entry]> {
        let durable = events.iter().filter(|event| !event.fact.is_volatile()).cloned();
        Entry::behind(self.position, entropy::nonce(), durable)
    }

    /// Has the attempts counted, with what they led to in one step.
    async fn commit(
        &mut self,
        entries: &Arc<[Entry]>,
        attempts: Vec<Attempt>,
    ) -> Result<(), CommitError> {
        let Some(tail) = entries.last().map(|entry| entry.position) else {
            let denied = self.shared.count(self.handle.id, attempts).await;
            return if denied.is_empty() { Ok(()) } else { Err(CommitError::Denied(denied)) };
        };
        let lifetime = self.lifetime(&self.session);
        let store = Arc::clone(&self.shared.store);
        self.is_ahead = true;
        let entries_to_keep = Arc::clone(entries);
        let commit =
            store.commit(self.handle.id, self.position, entries_to_keep, attempts, lifetime);
        let Receipt { snapshot_is_due } = commit.await?;
        for entry in entries.iter() {
            evolve(&mut self.committed, &entry.event);
        }
        self.position = tail;
        self.is_ahead = false;
        if snapshot_is_due {
            self.give_snapshot();
        }
        Ok(())
    }

    /// In the background; if it fails the store asks again.
    fn give_snapshot(&self) {
        let snapshot = Loaded { session: self.committed.clone(), position: self.position };
        let store = Arc::clone(&self.shared.store);
        tokio::spawn(async move {
            let id = snapshot.session.id;
            if let Err(error) = store.keep_snapshot(snapshot).await {
                warn!(session.id = %id, %error, "the snapshot stays behind");
            }
        });
    }

    /// Answers those that the store did not let through. The others, whose
    /// attempts have been counted if `is_counted`.
    fn deny(&self, turns: Vec<Turn>, denied: &[Denied], is_counted: bool) -> Vec<Work> {
        let table = Table { shared: Arc::clone(&self.shared) };
        let now = self.shared.store.now();
        let (mut others, mut attempts) = (Vec::with_capacity(turns.len()), 0..);
        for Turn { work, .. } in turns {
            let number = work.attempt.as_ref().and_then(|_| attempts.next());
            let denial = denied.iter().find(|denial| Some(denial.attempt) == number);
            let (Some(denial), Some(admitted)) = (denial, &work.attempt) else {
                let attempt = work.attempt.filter(|_| !is_counted);
                others.push(Work { attempt, ..work });
                continue;
            };
            let too_many = TooMany { limit: admitted.limit, exceeded: denial.exceeded };
            admitted.refuse(now, denial.exceeded);
            match work.waiting {
                Waiting::Answer(Answer::Socket(sender)) => table.rate_limited(&sender, too_many),
                Waiting::Answer(answer) => answer.failed(too_many.into()),
                waiting => others.push(Work::free(work.command, waiting)),
            }
        }
        others
    }

    pub(super) fn lifetime(&self, session: &Session) -> Lifetime {
        let (kept_until, tombstone) = match session.status {
            Status::Open => (session.expires_at.add_ms(EXPIRY_SLACK_MS), Tombstone::Expired),
            Status::Expired { at } => (at.add_ms(EXPIRY_SLACK_MS), Tombstone::Expired),
            Status::Ended { at, .. } => {
                let linger_ms = session.policy.ended_linger_ms;
                (at.add_ms(linger_ms).add_ms(EXPIRY_SLACK_MS), Tombstone::Ended)
            }
        };
        let tombstone_until = kept_until.add_ms(self.shared.options.tombstone_ttl_ms);
        Lifetime { kept_until, tombstone, tombstone_until }
    }

    fn fail(&mut self, batch: Vec<Work>, error: &StoreError) {
        if !batch.is_empty() {
            warn!(session.id = %self.handle.id, %error, jobs = batch.len(), "commands failed");
        }
        let failure = match error {
            StoreError::Gone => Failure::from(Refusal::SessionNotFound),
            _ => Failure::StateUnavailable { retry_after_s: RETRY_AFTER_S },
        };
        for work in batch {
            match work.waiting {
                Waiting::Answer(answer) => answer.failed(failure.clone()),
                Waiting::Join { answer, .. } => answer.failed(failure.clone()),
                Waiting::Recover(recovery) => recovery.failed(RecoveryFailure::of(error)),
                // The replica is what there is to be seen; it may be behind.
                Waiting::Look(look) => look(&self.session, self.shared.store.now()),
            }
        }
    }
}
