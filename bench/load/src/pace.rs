//! When the next vote of an open loop is due.

use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

/// A constant rate, whatever the server does: what is late is sent late and
/// measured from when it was due, so that nothing is omitted.
///
/// A thread keeps it, because the runtime's timer counts whole milliseconds.
pub(crate) struct Pace(mpsc::Receiver<Instant>);

/// What is due and not yet sent; beyond it the thread waits, and what it says
/// then is still when it was due.
const BEHIND_MAX: usize = 65_536;

impl Pace {
    pub(crate) fn new(per_second: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        let (dues, pace) = mpsc::channel(BEHIND_MAX);
        #[expect(clippy::disallowed_methods, reason = "a thread of its own, that may sleep")]
        thread::spawn(move || {
            let mut due = Instant::now();
            loop {
                due += interval;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if dues.blocking_send(due).is_err() {
                    return;
                }
            }
        });
        Self(pace)
    }

    /// Waits until the next one is due, and says when that was.
    pub(crate) async fn due(&mut self) -> Instant {
        self.0.recv().await.unwrap_or_else(Instant::now)
    }
}
