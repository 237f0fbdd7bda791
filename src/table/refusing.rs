//! Saying no to a socket, and counting it: whoever is refused again and again
//! is not listening.

use crate::api::client_event::EventName;
use crate::api::failure::Failure;
use crate::api::server_event::{RateLimited, ServerEvent as _};
use crate::connection::Socket;
use crate::table::answer::{Sender, tell};
use crate::table::attempts::TooMany;
use crate::table::ending::{end, tell_connection_error};
use crate::table::registry::Table;
use crate::table::socket_state::SocketState;

impl Table {
    pub(super) fn refuse(&self, sender: &Sender, failure: &Failure) {
        sender.refuse(failure);
        self.count_rejected(&sender.socket);
    }

    pub(super) fn rate_limited(&self, sender: &Sender, too_many: TooMany) {
        self.tell_rate_limit(&sender.socket, sender.event, too_many);
        self.refuse(sender, &too_many.into());
    }

    /// `rate:limit`, at most once a second for each event.
    pub(super) fn tell_rate_limit(&self, socket: &Socket, event: EventName, too_many: TooMany) {
        let TooMany { limit, exceeded } = too_many;
        let now = self.shared.store.now();
        let state = socket.state::<SocketState>();
        if state.is_some_and(|state| state.may_tell_limit(event, now)) {
            let told = RateLimited {
                event: event.as_str(),
                retry_after: exceeded.retry_after_s(),
                limit: limit.attempts_max,
                window_seconds: limit.window_seconds(),
            };
            tell(socket, RateLimited::NAME, &told);
        }
    }

    /// Whoever is refused again and again is not listening.
    pub(super) fn count_rejected(&self, socket: &Socket) {
        let Some(state) = socket.state::<SocketState>() else { return };
        let limit = self.shared.options.rejected;
        let now = self.shared.store.now();
        if let Err(exceeded) = state.count_rejected(limit, now) {
            let failure = Failure::RateLimited { retry_after_s: exceeded.retry_after_s() };
            tell_connection_error(socket, &failure);
            end(socket);
        }
    }
}
