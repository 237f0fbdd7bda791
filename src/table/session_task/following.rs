//! Keeping up with what other instances commit.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::warn;

use crate::api::projection::project;
use crate::poker::event::{Event, Fact};
use crate::poker::evolve::evolve;
use crate::poker::refusal::Refusal;
use crate::store::{Missing, StoreError, Stored, Update};
use crate::table::answer::tell_error;
use crate::table::members::Members;
use crate::table::session_task::SessionTask;
use crate::table::socket_state::SocketState;

impl SessionTask {
    /// An update of this or another instance.
    pub(super) async fn follow(&mut self, update: Option<Update>) {
        match update {
            Some(Update::Whispered(event)) if event_is_foreign(&event, &self.members) => {
                for outgoing in project(self.handle.id, &event) {
                    self.members.tell(&outgoing, None);
                }
            }
            Some(Update::Whispered(_)) => {}
            Some(Update::Committed { previous, entries }) => {
                let Some(position) = entries.last().map(|entry| entry.position) else { return };
                let is_known = position.epoch == self.position.epoch
                    && position.version <= self.position.version;
                if is_known {
                    return;
                }
                if self.is_ahead || previous != self.position {
                    return self.resubscribe().await;
                }
                for entry in entries.iter() {
                    evolve(&mut self.session, &entry.event);
                    self.show(entry, None).await;
                }
                self.position = position;
            }
            None => self.resubscribe().await,
        }
    }

    async fn resubscribe(&mut self) {
        self.is_ahead = true;
        // Subscribe first: what is committed while we load is not missed.
        let caught_up = match self.shared.store.subscribe(self.handle.id).await {
            Ok(subscription) => {
                self.subscription = subscription;
                self.resync().await
            }
            Err(error) => Err(error),
        };
        match caught_up {
            Ok(()) => {}
            Err(StoreError::Gone) => self.abandon(),
            Err(error) => warn!(session.id = %self.handle.id, %error, "cannot catch up"),
        }
        if self.is_ahead {
            // A pause, so that a store that is away is not asked in a loop.
            sleep(Duration::from_secs(1)).await;
        }
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
            Missing::Entries(entries) => {
                for entry in entries.iter().take(behind) {
                    self.show(entry, None).await;
                }
            }
            // Their next `seq` shows the members the gap.
            Missing::Unreachable => {}
        }
        Ok(())
    }
}

/// Whether the whisper is somebody else's: our own members were told already.
fn event_is_foreign(event: &Event, members: &Members) -> bool {
    match &event.fact {
        Fact::Reacted { player, .. } => !members.has_seat(*player),
        _ => true,
    }
}
