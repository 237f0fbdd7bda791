//! All the numbers of one instance.

use crate::metrics::counter::Gauge;
use crate::metrics::game::Game;
use crate::metrics::outcome::Outcome;
use crate::metrics::page::Page;
use crate::metrics::process::Process;
use crate::metrics::store::{CallOutcome, StoreCalls};
use crate::metrics::wire::Wire;
use crate::store::directory::Figures;

#[derive(Debug, Default)]
pub struct Metrics {
    pub wire: Wire,
    pub game: Game,
    pub store: StoreCalls,
    /// 1: on its way out.
    pub draining: Gauge,
}

impl Metrics {
    /// Everything that is counted here, and the process.
    pub fn write(&self, page: &mut Page) {
        page.gauge("cardroom_build_info", "1, with the version.");
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.gauge("cardroom_draining", "1: this instance is on its way out.");
        page.sample(&[], self.draining.value());
        self.wire.write(page);
        self.game.write(page);
        self.store.write(page);
        Process::write(page);
    }

    /// The few that the other instances and the functions read. `updated_at`
    /// is for the caller, who has a clock.
    pub fn figures(&self) -> Figures {
        let process = Process::look().unwrap_or_default();
        Figures {
            connections: self.wire.connections(),
            sockets: self.wire.sockets.value(),
            sessions: self.game.sessions.value(),
            seats_online: self.game.seats_online.value(),
            events_total: self.game.events_total(),
            messages_total: self.game.messages_total(),
            commits_total: self.store.commits(CallOutcome::Ok),
            conflicts: self.store.commits(CallOutcome::Conflict),
            slow_consumers: self.wire.slow_consumers(),
            rate_limited: self.game.events_of(Outcome::RateLimited),
            rss_bytes: process.resident_bytes,
            cpu_ms: process.cpu_ms,
            draining: self.draining.value() != 0,
            ..Figures::default()
        }
    }
}
