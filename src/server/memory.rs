//! The memory of this process, looked at once a second: above the mark nobody
//! new is let in, until it is well below it again.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::connection::Connections;
use crate::metrics::Process;

const EVERY: Duration = Duration::from_secs(1);

/// Ends when it is dropped.
pub(super) struct MemoryWatch(JoinHandle<()>);

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `None` where there is no mark. Must be called within a tokio runtime.
pub(super) fn watch(bytes_max: u64, connections: Connections) -> Option<MemoryWatch> {
    if bytes_max == 0 {
        return None;
    }
    if Process::look().is_none() {
        warn!("server.memory_bytes_max is set, and this system does not tell how much is used");
        return None;
    }
    let watching = async move {
        let mut mark = Mark { bytes_max, is_above: false };
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let Some(used) = Process::look().map(|look| look.resident_bytes) else { continue };
            if mark.moved(used) {
                connections.set_memory_short(mark.is_above);
                match mark.is_above {
                    true => warn!(used, bytes_max, "memory is short: nobody new is let in"),
                    false => info!(used, bytes_max, "there is memory again"),
                }
            }
        }
    };
    Some(MemoryWatch(tokio::spawn(watching)))
}

struct Mark {
    bytes_max: u64,
    is_above: bool,
}

impl Mark {
    /// Whether that changes what is answered. It changes back a twentieth
    /// lower, or it would with every connection that ends.
    fn moved(&mut self, used: u64) -> bool {
        let is_above = match self.is_above {
            false => self.bytes_max <= used,
            true => self.bytes_max - self.bytes_max / 20 <= used,
        };
        std::mem::replace(&mut self.is_above, is_above) != is_above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_again_a_little_lower() {
        let mut mark = Mark { bytes_max: 1_000, is_above: false };
        let seen = [999, 1_000, 999, 951, 950, 949, 999, 1_000];
        let above = seen.map(|used| {
            mark.moved(used);
            mark.is_above
        });
        assert_eq!(above, [false, true, true, true, true, false, false, true]);
    }
}
