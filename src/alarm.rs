//! A timer for deadlines that are put off again and again.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is only touched when it would ring too late, or has rung: a
/// deadline that moves back with every event costs a comparison.
#[derive(Debug)]
pub struct Alarm {
    timer: Pin<Box<Sleep>>,
    /// Never later than the deadline that was waited for last.
    armed_for: Instant,
}

impl Alarm {
    pub fn new() -> Self {
        let now = Instant::now();
        Self { timer: Box::pin(sleep_until(now)), armed_for: now }
    }

    /// Ready when `deadline` has come, whatever was waited for before.
    pub fn poll_until(&mut self, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
        // By the clock: the timer is a millisecond or two late.
        if deadline <= Instant::now() {
            return Poll::Ready(());
        }
        if deadline < self.armed_for {
            self.arm(deadline);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            // It was armed for a deadline that has been put off since.
            self.arm(deadline);
        }
        Poll::Pending
    }

    /// As [`Alarm::poll_until`]. Cancel-safe.
    pub async fn until(&mut self, deadline: Instant) {
        poll_fn(|context| self.poll_until(deadline, context)).await;
    }

    fn arm(&mut self, deadline: Instant) {
        self.timer.as_mut().reset(deadline);
        self.armed_for = deadline;
    }
}

impl Default for Alarm {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_the_deadline_that_is_waited_for() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut alarm = Alarm::new();
        for deadline in [30, 10, 20].map(after) {
            assert!(alarm.until(deadline).now_or_never().is_none());
        }
        // Armed for the tenth second, and not deceived by it.
        alarm.until(after(20)).await;
        assert_eq!(start.elapsed().as_secs(), 20);
        alarm.until(after(5)).await;
        assert_eq!(start.elapsed().as_secs(), 20);
    }
}
