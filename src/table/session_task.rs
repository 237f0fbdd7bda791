//! The task that serves one session on this instance.
//!
//! It holds the replica, executes the jobs that wait as one batch with one
//! commit, fires deadlines, follows the updates of other instances, and tells
//! the members. Everything that concerns the session happens here, one after
//! the other; so nothing of it needs a lock.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, warn};

use crate::api::ack::{Ack, Joined};
use crate::api::failure::Failure;
use crate::api::projection::{NAMESPACE, project};
use crate::api::snapshot::Scene;
use crate::connection::Socket;
use crate::identity::Claims;
use crate::poker::command::{Action, Actor, Command, Departure, Join};
use crate::poker::decide::next_deadline;
use crate::poker::event::{EndReason, Event, Fact};
use crate::poker::ids::{InstanceId, Millis, PlayerId, RequestId};
use crate::poker::play::{catch_up, play};
use crate::poker::refusal::Refusal;
use crate::poker::reply::Reply;
use crate::poker::session::{Session, Status};
use crate::protocol::{Encoded, SocketId};
use crate::store::{
    CommitError, Lifetime, Loaded, Missing, Position, StoreError, Stored, Subscription, Tombstone,
    Update,
};
use crate::table::answer::Answer;
use crate::table::handle::{Departures, Job, JoinAnswer, Look, SessionHandle};
use crate::table::members::Members;
use crate::table::registry::Shared;
use crate::table::socket_state::{Place, SocketState};

/// Attempts at one commit while others commit as well.
const ATTEMPTS_MAX: u32 = 16;
/// Attempts that follow each other at once.
const HASTY_ATTEMPTS: u32 = 3;
/// How soon a client may try again when the store is away.
const RETRY_AFTER_S: u32 = 1;
/// A session is kept this much longer than it lives, so that whoever serves
/// it can say that it has expired.
const EXPIRY_SLACK_MS: u64 = 60_000;

pub(super) struct SessionTask {
    shared: Arc<Shared>,
    handle: SessionHandle,
    jobs: mpsc::Receiver<Box<Job>>,
    departures: Arc<Departures>,
    subscription: Subscription,
    session: Session,
    /// Where `session` stands, unless `is_ahead`.
    position: Position,
    /// `session` holds events of which nobody knows whether they were
    /// committed; `position` is the last one that certainly was.
    is_ahead: bool,
    members: Members,
    idle_since: Instant,
}

/// What woke the task.
enum Wake {
    Job(Option<Box<Job>>),
    Departures,
    Update(Option<Update>),
    Deadline,
    Idle,
}

/// One job in a batch and what became of it.
struct Turn {
    work: Work,
    /// Its part of the batch's events.
    events: Range<usize>,
    outcome: Result<Reply, Refusal>,
    seq: u64,
}

/// A job as a command, and who waits for it.
struct Work {
    command: Option<Command>,
    origin: Option<SocketId>,
    waiting: Waiting,
}

enum Waiting {
    Answer(Answer),
    Join { socket: Socket, answer: JoinAnswer },
    Look(Look),
}

impl Work {
    /// A newcomer's snapshot and a look must show the session exactly as it
    /// was told so far, so a batch ends with them.
    const fn shows_session(&self) -> bool {
        matches!(self.waiting, Waiting::Join { .. } | Waiting::Look(_))
    }
}

impl SessionTask {
    pub(super) fn new(
        shared: Arc<Shared>,
        handle: SessionHandle,
        jobs: mpsc::Receiver<Box<Job>>,
        departures: Arc<Departures>,
        subscription: Subscription,
        loaded: Loaded,
    ) -> Self {
        let members = Members::new(&shared.hub, handle.id);
        Self {
            shared,
            handle,
            jobs,
            departures,
            subscription,
            session: loaded.session,
            position: loaded.position,
            is_ahead: false,
            members,
            idle_since: Instant::now(),
        }
    }

    pub(super) async fn run(mut self) {
        debug!(session.id = %self.handle.id, "session loaded");
        loop {
            match self.wake().await {
                Wake::Job(Some(job)) => self.turn(Some(job)).await,
                Wake::Departures | Wake::Deadline => self.turn(None).await,
                Wake::Update(update) => self.follow(update).await,
                Wake::Idle | Wake::Job(None) => break,
            }
            if !self.members.is_empty() {
                self.idle_since = Instant::now();
            }
        }
        // No new job finds the way here from now on; those that have are done.
        self.shared.sessions.forget(&self.handle);
        self.jobs.close();
        while let Some(job) = self.jobs.recv().await {
            self.turn(Some(job)).await;
        }
        debug!(session.id = %self.handle.id, "session unloaded");
    }

    async fn wake(&mut self) -> Wake {
        let now = self.shared.store.now();
        let deadline = next_deadline(&self.session);
        let until_deadline = deadline.map(|at| Duration::from_millis(at.since(now)));
        let idle_at = self.idle_since + self.shared.options.idle;
        tokio::select! {
            job = self.jobs.recv() => Wake::Job(job),
            () = self.departures.arrived() => Wake::Departures,
            update = self.subscription.next() => Wake::Update(update),
            () = sleep(until_deadline.unwrap_or_default()), if until_deadline.is_some() => {
                Wake::Deadline
            }
            () = sleep_until(idle_at), if self.members.is_empty() => Wake::Idle,
        }
    }

    /// Does what waits, up to a batch.
    async fn turn(&mut self, first: Option<Box<Job>>) {
        let mut batch: Vec<Work> = Vec::new();
        for socket in self.departures.take() {
            batch.extend(self.departed(socket));
        }
        let mut next = first;
        while let Some(job) = next.take() {
            let work = self.work(*job);
            let is_last = work.shows_session();
            batch.push(work);
            if is_last || self.shared.options.batch_jobs_max <= batch.len() {
                break;
            }
            next = self.jobs.try_recv().ok();
        }
        self.execute(batch).await;
    }

    fn work(&mut self, job: Job) -> Work {
        match job {
            Job::Command { command, answer, origin } => {
                Work { command: Some(command), origin, waiting: Waiting::Answer(answer) }
            }
            Job::Join { join, request, socket, answer } => Work {
                command: Some(self.join_command(join, request)),
                origin: Some(socket.id()),
                waiting: Waiting::Join { socket, answer },
            },
            Job::Leave { socket, answer } => {
                let command = self
                    .members
                    .remove(socket)
                    .map(|player| self.depart_command(player, Departure::Leaving));
                Work { command, origin: None, waiting: Waiting::Answer(answer) }
            }
            Job::Look(look) => Work { command: None, origin: None, waiting: Waiting::Look(look) },
        }
    }

    fn departed(&mut self, socket: SocketId) -> Option<Work> {
        let player = self.members.remove(socket)?;
        let command = self.depart_command(player, Departure::Disconnected);
        let waiting = Waiting::Answer(Answer::Nobody);
        Some(Work { command: Some(command), origin: None, waiting })
    }

    fn join_command(&self, join: Join, request: Option<RequestId>) -> Command {
        Command { by: Actor::Visitor, request, action: Action::Join(join) }
    }

    fn depart_command(&self, player: PlayerId, manner: Departure) -> Command {
        let instance = self.instance();
        Command::by_house(Action::Depart { player, instance, manner })
    }

    /// Decides, commits and answers; decides again when somebody was faster.
    async fn execute(&mut self, mut batch: Vec<Work>) {
        for attempt in 0..ATTEMPTS_MAX {
            if HASTY_ATTEMPTS <= attempt {
                let jitter = u64::from(attempt) * 2 + self.position.nonce % 8;
                sleep(Duration::from_millis(jitter)).await;
            }
            if self.is_ahead
                && let Err(error) = self.resync().await
            {
                return self.fail(batch, &error);
            }
            let (events, turns) = self.decide(batch);
            match self.commit(&events).await {
                Ok(()) => return self.deliver(&events, turns).await,
                Err(CommitError::Conflict(_)) => {
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
        let mut turns = Vec::with_capacity(batch.len());
        for work in batch {
            let from = events.len();
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

    async fn commit(&mut self, events: &[Event]) -> Result<(), CommitError> {
        let durable: Arc<[Event]> =
            events.iter().filter(|event| !event.fact.is_volatile()).cloned().collect();
        if durable.is_empty() {
            return Ok(());
        }
        let lifetime = self.lifetime();
        let store = Arc::clone(&self.shared.store);
        self.is_ahead = true;
        let committed = store.commit(self.handle.id, self.position, durable, lifetime).await?;
        self.position = committed.position;
        self.is_ahead = false;
        Ok(())
    }

    fn lifetime(&self) -> Lifetime {
        let session = &self.session;
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

    /// Tells the members what was committed, in order, and answers.
    async fn deliver(&mut self, events: &[Event], turns: Vec<Turn>) {
        let mut shown = 0;
        for turn in turns {
            for (index, event) in events.iter().enumerate().take(turn.events.end).skip(shown) {
                let is_own = turn.events.contains(&index);
                self.show(event, turn.work.origin.filter(|_| is_own)).await;
            }
            shown = turn.events.end;
            self.answer(turn);
        }
        for event in events.iter().skip(shown) {
            self.show(event, None).await;
        }
    }

    async fn show(&mut self, event: &Event, origin: Option<SocketId>) {
        for outgoing in project(self.handle.id, event) {
            self.members.tell(&outgoing, origin);
        }
        if event.fact.is_volatile() {
            // Others are told if it can be done; nobody waits for it.
            let _ = self.shared.store.whisper(self.handle.id, event.clone()).await;
        }
        self.part(&event.fact);
    }

    /// Lets go of the sockets that a fact ends.
    fn part(&mut self, fact: &Fact) {
        let leaving = match fact {
            Fact::SeatRemoved { player, .. } => self.members.remove_seat(*player),
            Fact::Dismissed | Fact::Ended { reason: EndReason::Expired } => {
                self.members.remove_all()
            }
            Fact::SeatForgotten { player } => {
                self.members.remove_seat(*player);
                return;
            }
            _ => return,
        };
        for socket in leaving {
            if let Some(state) = socket.state::<SocketState>() {
                state.stay_outside(true);
            }
            // Not the engine level: coming back by itself would be futile.
            socket.disconnect();
        }
    }

    fn answer(&mut self, turn: Turn) {
        let Turn { work, outcome, seq, .. } = turn;
        match (work.waiting, outcome) {
            (Waiting::Answer(answer), Ok(reply)) => answer.done(seq, reply),
            (Waiting::Answer(answer), Err(refusal)) => answer.failed(refusal.into()),
            (Waiting::Look(look), _) => look(&self.session, self.shared.store.now()),
            (Waiting::Join { socket, answer }, Ok(Reply::Joined { player })) => {
                self.seat(&socket, player, answer);
            }
            (Waiting::Join { answer, .. }, Ok(_)) => {
                answer.failed(Failure::Internal { id: self.position.nonce });
            }
            (Waiting::Join { answer, .. }, Err(refusal)) => answer.failed(refusal.into()),
        }
    }

    /// The socket becomes a member, and learns all that it may see.
    fn seat(&mut self, socket: &Socket, player: PlayerId, answer: JoinAnswer) {
        let limits = self.members.add(socket, player);
        let place = Place { session: self.handle.clone(), player, limits };
        let is_here = socket.state::<SocketState>().is_some_and(|state| state.enter(place));
        if !is_here {
            // The connection ended during the join: it departs right away.
            self.handle.departed(socket.id());
            return;
        }
        let now = self.shared.store.now();
        let token = self.token(player, now);
        let scene = Scene::new(&self.session, now);
        let joined = Joined::new(&scene, player, token.expose_secret());
        let event = Encoded::event_with(NAMESPACE, "session:joined", &joined);
        let ack = answer
            .sender
            .as_ref()
            .and_then(|sender| sender.ack)
            .map(|id| Encoded::ack_with(NAMESPACE, id, &Ack::new(self.session.seq, joined)));
        // A message of its own each, and one place in the outbox: a large
        // session must not fill it twice.
        let messages: Vec<Encoded> =
            [Some(event), ack].into_iter().flatten().filter_map(Result::ok).collect();
        let _ = socket.emit(Encoded::joined(&messages));
        let _ = answer.outcome.send(Ok(()));
    }

    fn token(&self, player: PlayerId, now: Millis) -> SecretString {
        let generation = self.session.seats.get(&player).map_or(0, |seat| seat.generation);
        self.shared.keyring.mint(&Claims {
            session: self.handle.id,
            player,
            generation,
            issued: now,
            expires: now.add_ms(self.shared.options.token_ttl_ms),
        })
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
                // The replica is what there is to be seen; it may be behind.
                Waiting::Look(look) => look(&self.session, self.shared.store.now()),
            }
        }
    }

    /// An update of this or another instance.
    async fn follow(&mut self, update: Option<Update>) {
        match update {
            Some(Update::Whispered(event)) if event_is_foreign(&event, &self.members) => {
                for outgoing in project(self.handle.id, &event) {
                    self.members.tell(&outgoing, None);
                }
            }
            Some(Update::Whispered(_)) => {}
            Some(Update::Committed { previous, position, events }) => {
                let is_known = position.epoch == self.position.epoch
                    && position.version <= self.position.version;
                if is_known {
                    return;
                }
                if self.is_ahead || previous != self.position {
                    return self.resubscribe().await;
                }
                for event in events.iter() {
                    crate::poker::evolve::evolve(&mut self.session, event);
                    self.show(event, None).await;
                }
                self.position = position;
            }
            None => self.resubscribe().await,
        }
    }

    async fn resubscribe(&mut self) {
        self.is_ahead = true;
        // Subscribe first: what is committed while we load is not missed.
        let subscribed = self.shared.store.subscribe(self.handle.id).await;
        let caught_up = match subscribed {
            Ok(subscription) => {
                self.subscription = subscription;
                self.resync().await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = caught_up {
            warn!(session.id = %self.handle.id, %error, "cannot catch up");
            // A pause, so that a store that is away is not asked in a loop.
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// Takes the session from the store again, and tells the members what
    /// they missed.
    async fn resync(&mut self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.shared.store);
        let Stored::Live(loaded) = store.load(self.handle.id).await? else {
            return Err(StoreError::Gone);
        };
        let missed = store.read_after(self.handle.id, self.position).await?;
        let known = self.position.version;
        let behind = loaded.position.version.saturating_sub(known) as usize;
        self.session = loaded.session;
        self.position = loaded.position;
        self.is_ahead = false;
        match missed {
            Missing::Events { events, .. } => {
                for event in events.iter().take(behind) {
                    self.show(event, None).await;
                }
            }
            // Their next `seq` shows the members the gap.
            Missing::Unreachable => {}
        }
        Ok(())
    }

    fn instance(&self) -> InstanceId {
        self.shared.instance
    }
}

/// Whether the whisper is somebody else's: our own members were told already.
fn event_is_foreign(event: &Event, members: &Members) -> bool {
    match &event.fact {
        Fact::Reacted { player, .. } => !members.has_seat(*player),
        _ => true,
    }
}

impl JoinAnswer {
    pub(super) fn failed(self, failure: Failure) {
        if let Some(sender) = &self.sender {
            sender.refuse(&failure);
        }
        let _ = self.outcome.send(Err(failure));
    }
}
