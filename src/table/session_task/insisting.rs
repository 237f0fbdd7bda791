//! Who is here, and who is not, where the session believes something else: an
//! instance that was taken for dead, and lives (it was paused, or cut off from
//! the store, for longer than its lease); and seats whose sockets left, or
//! joined in vain, while the store could not be told.

use tracing::info;

use crate::poker::command::{Action, Actor, Claim, Command, Join, PasswordCheck};
use crate::table::answer::Answer;
use crate::table::session_task::SessionTask;
use crate::table::session_task::batch::{Waiting, Work};

impl SessionTask {
    /// Brings the seats back whose sockets are here, and lets those go that
    /// have none. Asked whenever others' commits were taken over, also within
    /// an attempt: with them what was in doubt is decided, and nobody asks again.
    pub(super) async fn insist(&mut self) {
        if self.is_ahead {
            // The next attempt begins with what others have committed.
            return;
        }
        let mut work = self.unlisted();
        if !work.is_empty() {
            info!(session.id = %self.handle.id, seats = work.len(), "taken for dead; still here");
        }
        work.extend(self.absentees());
        if !work.is_empty() {
            self.execute(work).await;
        }
    }

    /// Seats that sit here and that the session believes to be elsewhere.
    pub(super) fn unlisted(&self) -> Vec<Work> {
        let seats = self.session.seats.values();
        seats
            .filter(|seat| !seat.instances.contains(&self.shared.instance))
            .filter(|seat| self.members.has_seat(seat.id))
            .map(|seat| Join {
                claim: Claim::Token { player: seat.id, generation: seat.generation },
                name: None,
                avatar: None,
                is_spectator: None,
                password: PasswordCheck::Absent,
                instance: Some(self.shared.instance),
            })
            .map(|join| Command { by: Actor::Visitor, request: None, action: Action::Join(join) })
            .map(|command| Work::free(Some(command), Waiting::Answer(Answer::Nobody)))
            .collect()
    }
}
