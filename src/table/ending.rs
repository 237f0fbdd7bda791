//! Sockets that are sent away: who never joins, and who never listens.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::api::failure::Failure;
use crate::api::projection::NAMESPACE;
use crate::api::server_event::{ConnectionError, ServerEvent as _};
use crate::connection::Socket;
use crate::poker::refusal::Refusal;
use crate::protocol::{CloseReason, Encoded};
use crate::table::answer::tell;
use crate::table::handle::{Job, Look, SessionHandle};
use crate::table::registry::Table;
use crate::table::socket_state::SocketState;

/// Sessions that are asked at one time.
const SETTLING_MAX: usize = 64;
/// Until one is asked again: a departure may be on its way to it.
const SETTLING_PAUSE: Duration = Duration::from_millis(50);

impl Table {
    /// What clients are told before their connections are closed because this
    /// instance goes away: to come back at once, or in up to so many seconds.
    /// Given out in turn, so that not all come back together.
    pub fn goodbyes(retry_after_max_s: u32) -> Vec<Encoded> {
        (0..=retry_after_max_s)
            .map(|retry_after_s| Failure::ServerShutdown { retry_after_s })
            .map(|failure| ConnectionError::from(&failure))
            .filter_map(|error| Encoded::event_with(NAMESPACE, ConnectionError::NAME, &error).ok())
            .collect()
    }

    /// Returns when all that was to be committed is, departures included; never
    /// if a session cannot be saved: to it somebody seems to be here who is not.
    pub async fn settle(&self) {
        let mut unsettled = self.shared.sessions.all();
        loop {
            let asked = stream::iter(unsettled).map(|session| self.unless_settled(session));
            unsettled = asked.buffer_unordered(SETTLING_MAX).filter_map(ready).collect().await;
            if unsettled.is_empty() {
                return;
            }
            sleep(SETTLING_PAUSE).await;
        }
    }

    async fn unless_settled(&self, session: SessionHandle) -> Option<SessionHandle> {
        let (answer, answered) = oneshot::channel();
        let instance = self.shared.instance;
        let look: Look = Box::new(move |session, _| {
            let _ = answer.send(!session.seats.instances().contains(&instance));
        });
        // A task that has ended had nobody left to save.
        let is_settled = session.send(Box::new(Job::Look(look))).await.is_err()
            || answered.await.unwrap_or(false);
        (!is_settled).then_some(session)
    }

    pub(super) fn wait_in_lobby(&self, socket: &Socket) {
        if let Some(surplus) = self.shared.lobby.enter(socket.clone()) {
            dismiss(&surplus);
        }
    }

    pub(super) fn watch_lobby(&self) {
        let lobby = Arc::clone(&self.shared.lobby);
        tokio::spawn(async move {
            loop {
                dismiss(&lobby.overdue().await);
            }
        });
    }
}

/// Closes a socket that has waited for too long without joining.
fn dismiss(socket: &Socket) {
    if socket.state::<SocketState>().is_some_and(SocketState::is_outside) {
        tell_connection_error(socket, &Refusal::NotJoined.into());
        end(socket);
    }
}

/// Ends a connection whose client should not come back by itself.
///
/// That is what leaving the namespace tells it (`41`), and a client then
/// closes the connection. It must not arrive together with the close packet
/// of the engine: over polling, clients take that for a broken transport. So
/// whoever does not close is closed a moment later.
pub(super) fn end(socket: &Socket) {
    const CLIENT_CLOSES_WITHIN: Duration = Duration::from_secs(1);
    socket.disconnect();
    let socket = socket.clone();
    tokio::spawn(async move {
        sleep(CLIENT_CLOSES_WITHIN).await;
        socket.close(CloseReason::ForcedClose);
    });
}

pub(super) fn tell_connection_error(socket: &Socket, failure: &Failure) {
    tell(socket, ConnectionError::NAME, &ConnectionError::from(failure));
}
