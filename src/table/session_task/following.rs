//! Keeping up with what other instances commit.

use std::sync::Arc;

use tokio::time::sleep;
use tracing::warn;

use crate::api::projection::project;
use crate::planted::{self, Bug};
use crate::poker::event::{Event, Fact};
use crate::poker::evolve::evolve;
use crate::poker::refusal::Refusal;
use crate::store::{Entry, Loaded, Missing, Position, StoreError, Stored, Update};
use crate::table::answer::tell_error;
use crate::table::members::Members;
use crate::table::session_task::{SessionTask, retry_interval};
use crate::table::socket_state::SocketState;

impl SessionTask {
    /// An update of this or another instance.
    pub(super) async fn follow(&mut self, update: Option<Update>) {
        match update {
            Some(Update::Whispered(event)) if event_is_foreign(&event, &self.members) => {
                for outgoing in project(self.handle.id, &event) {
                    self.members.tell(&outgoing, None);
                }
                self.members.flush();
            }
            Some(Update::Whispered(_)) => {}
            Some(Update::Committed { previous, entries }) => {
                let Some(position) = entries.last().map(|entry| entry.position) else { return };
                let is_known = position.epoch == self.position.epoch
                    && position.version <= self.position.version;
                if is_known {
                    return;
                }
                // A conflict may have told us the beginning of it already.
                let at = entries.iter().position(|entry| entry.position == self.position);
                let known = at.map_or(0, |at| at + 1);
                if self.is_ahead || (previous != self.position && known == 0) {
                    return self.resubscribe().await;
                }
                self.take(entries.get(known..).unwrap_or_default(), position).await;
            }
            None => self.resubscribe().await,
        }
    }

    /// Entries that follow the last one that is known, up to `position`.
    async fn take(&mut self, entries: &[Entry], position: Position) {
        for entry in entries {
            evolve(&mut self.committed, &entry.event);
            evolve(&mut self.session, &entry.event);
            if planted::is(Bug::DoubleApply) {
                self.show(entry, None).await;
            }
            self.show(entry, None).await;
        }
        self.position = position;
        self.has_caught_up = true;
        self.members.flush();
    }

    /// What a conflict says that we missed; where it does not, the session is
    /// loaded before the next attempt.
    pub(super) async fn fold(&mut self, missing: Missing) {
        let Missing::Entries(entries) = missing else { return };
        let position = entries.last().map_or(self.position, |entry| entry.position);
        self.session = self.committed.clone();
        self.is_ahead = false;
        self.take(&entries, position).await;
    }

    async fn resubscribe(&mut self) {
        self.is_ahead = true;
        match self.rejoin().await {
            Ok(()) => {}
            Err(StoreError::Gone) => self.abandon(),
            Err(error) => warn!(session.id = %self.handle.id, %error, "cannot catch up"),
        }
        if self.is_ahead {
            // A pause, so that a store that is away is not asked in a loop.
            sleep(retry_interval()).await;
        }
    }

    async fn rejoin(&mut self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.shared.store);
        // Subscribe first: what is committed while we load is not missed.
        self.subscription = match store.subscribe(self.handle.id).await {
            Err(StoreError::Gone) => {
                self.put_back().await?;
                store.subscribe(self.handle.id).await?
            }
            result => result?,
        };
        self.resync().await
    }

    /// The store has less of the session than we have, or nothing. If it is
    /// over, it stays so: `StoreError::Gone`.
    async fn put_back(&self) -> Result<(), StoreError> {
        let replica = Loaded { session: self.committed.clone(), position: self.position };
        let lifetime = self.lifetime(&replica.session);
        self.shared.store.restore(replica, lifetime).await
    }

    /// The session was taken away under its members: they are told, and leave.
    fn abandon(&mut self) {
        for socket in self.members.remove_all() {
            if let Some(state) = socket.state::<SocketState>() {
                state.stay_outside(true);
            }
            tell_error(&socket, &Refusal::SessionNotFound.into(), None);
            socket.disconnect();
        }
    }

    /// Takes the session from the store again, and tells the members what
    /// they missed.
    pub(super) async fn resync(&mut self) -> Result<(), StoreError> {
        let store = Arc::clone(&self.shared.store);
        let mut stored = store.load(self.handle.id).await?;
        if self.is_less(&stored) {
            self.put_back().await?;
            stored = store.load(self.handle.id).await?;
            if self.is_less(&stored) {
                let version = self.position.version;
                warn!(session.id = %self.handle.id, version, "the store has lost what was committed");
            }
        }
        let Stored::Live(loaded) = stored else { return Err(StoreError::Gone) };
        let missed = store.read_after(self.handle.id, self.position).await?;
        let known = self.position.version;
        let behind = loaded.position.version.saturating_sub(known) as usize;
        self.committed = loaded.session.clone();
        self.session = loaded.session;
        self.position = loaded.position;
        self.is_ahead = false;
        self.has_caught_up = true;
        match missed {
            Missing::Entries(entries) => {
                for entry in entries.iter().take(behind) {
                    self.show(entry, None).await;
                }
                self.members.flush();
            }
            // What they were told may be of another history (Redis came back
            // as it was a while ago), where the next `seq` fits by chance and
            // shows no gap. They come back at once, and begin with a snapshot.
            Missing::Unreachable => self.members.send_away(),
        }
        Ok(())
    }
}

impl SessionTask {
    /// Whether the store has lost what was committed.
    fn is_less(&self, stored: &Stored) -> bool {
        match stored {
            Stored::Live(loaded) => {
                let Position { epoch, version, .. } = loaded.position;
                epoch == self.position.epoch && version < self.position.version
            }
            Stored::Unknown => true,
            Stored::Gone(_) => false,
        }
    }
}

/// Whether the whisper is somebody else's: our own members were told already.
fn event_is_foreign(event: &Event, members: &Members) -> bool {
    match &event.fact {
        Fact::Reacted { player, .. } => !members.has_seat(*player),
        _ => true,
    }
}
