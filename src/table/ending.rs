//! Sockets that are sent away: who never joins, and who never listens.

use std::sync::Arc;
use std::time::Duration;

use crate::api::failure::Failure;
use crate::api::projection::NAMESPACE;
use crate::api::server_event::{ConnectionError, ServerEvent as _};
use crate::connection::Socket;
use crate::poker::refusal::Refusal;
use crate::protocol::{CloseReason, Encoded};
use crate::table::answer::tell;
use crate::table::registry::Table;
use crate::table::socket_state::SocketState;

impl Table {
    /// Tells everybody that this instance goes away, and who shall come back
    /// when: not all at once. The connections are closed by their owner.
    pub fn say_goodbye(&self) {
        const RETRY_AFTER_S: std::ops::RangeInclusive<u32> = 0..=5;
        let goodbyes: Vec<Encoded> = RETRY_AFTER_S
            .map(|retry_after_s| Failure::ServerShutdown { retry_after_s })
            .map(|failure| ConnectionError::from(&failure))
            .filter_map(|error| Encoded::event_with(NAMESPACE, ConnectionError::NAME, &error).ok())
            .collect();
        for room in self.shared.hub.rooms() {
            room.send_in_turn(&goodbyes);
        }
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
        tokio::time::sleep(CLIENT_CLOSES_WITHIN).await;
        socket.close(CloseReason::ForcedClose);
    });
}

pub(super) fn tell_connection_error(socket: &Socket, failure: &Failure) {
    tell(socket, ConnectionError::NAME, &ConnectionError::from(failure));
}
