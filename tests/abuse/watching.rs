//! When clients that stopped reading are gone, and what is held for them until
//! then: by the server's word and by the kernel's.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::figures::most;
use super::kernel::Sockets;
use super::server::Figures;

/// From the stop until the slowest is gone, at the latest; then it counts as
/// still there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// When the last of a round was gone, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Gone {
    /// From the stop.
    pub(crate) websocket: f64,
    pub(crate) polling: f64,
    /// From the last byte that the kernel took for one over WebSocket to its
    /// end, and how many it had taken by then.
    pub(crate) took_nothing: f64,
    pub(crate) kernel_bytes: u64,
}

/// From the stop of the slow clients to the end of the last.
pub(crate) struct Watching {
    before: Figures,
    /// Of the stop.
    at: Instant,
    /// The most that was held for all of them, in bytes.
    pub(crate) outbox: f64,
    pub(crate) resident: f64,
    websockets: HashMap<u16, Silent>,
    /// The good ones are all over WebSocket.
    polling_gone: Option<Duration>,
}

/// A connection whose client reads nothing, as the kernel sees it.
#[derive(Default)]
struct Silent {
    unread_bytes: u64,
    /// From the stop to the last byte, and to the end.
    took: Duration,
    gone: Option<Duration>,
}

impl Watching {
    pub(crate) fn new(before: Figures, ports: &[u16]) -> Self {
        let websockets = ports.iter().map(|port| (*port, Silent::default())).collect();
        let at = Instant::now();
        Self { before, at, outbox: 0.0, resident: 0.0, websockets, polling_gone: None }
    }

    pub(crate) fn look(&mut self, now: &Figures, sockets: &Sockets) {
        let (before, elapsed) = (&self.before, self.at.elapsed());
        self.outbox = self.outbox.max(now.outbox_bytes() - before.outbox_bytes());
        self.resident = self.resident.max(now.resident_bytes() - before.resident_bytes());
        if now.polling_connections() == 0.0 {
            self.polling_gone.get_or_insert(elapsed);
        }
        for (port, silent) in self.websockets.iter_mut().filter(|(_, it)| it.gone.is_none()) {
            match sockets.unread_bytes(*port) {
                None => silent.gone = Some(elapsed),
                Some(bytes) if silent.unread_bytes < bytes => {
                    silent.unread_bytes = bytes;
                    silent.took = elapsed;
                }
                Some(_) => {}
            }
        }
    }

    pub(crate) fn is_patient(&self) -> bool {
        self.at.elapsed() < PATIENCE
    }

    pub(crate) fn all_gone(&self) -> bool {
        self.polling_gone.is_some() && self.websockets.values().all(|it| it.gone.is_some())
    }

    pub(crate) fn gone(&self) -> Gone {
        let ends = self.websockets.values().map(|it| (it.took, it.gone.unwrap_or(PATIENCE)));
        let ends: Vec<_> =
            ends.map(|(took, gone)| (gone.as_secs_f64(), took.as_secs_f64())).collect();
        Gone {
            websocket: most(ends.iter().map(|(gone, _)| *gone)),
            polling: self.polling_gone.unwrap_or(PATIENCE).as_secs_f64(),
            took_nothing: most(ends.iter().map(|(gone, took)| gone - took)),
            kernel_bytes: self.websockets.values().map(|it| it.unread_bytes).max().unwrap_or(0),
        }
    }
}
