//! The wish to end: SIGTERM or SIGINT, told to whoever listens.

use std::future::pending;
use std::io;

use tokio::sync::watch;

/// Clones are cheap; every task that has to end holds one.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Starts the shutdown. Dropping it does not.
#[derive(Debug)]
pub struct Trigger(watch::Sender<bool>);

impl Shutdown {
    pub fn channel() -> (Trigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (Trigger(sender), Self(receiver))
    }

    /// The first SIGTERM or SIGINT asks everybody to end; the second one ends
    /// the process at once, with the status a shell reports for that signal.
    #[cfg(unix)]
    pub fn on_signals() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (trigger, shutdown) = Self::channel();
        tokio::spawn(async move {
            for count in 1.. {
                let (name, status) = tokio::select! {
                    _ = terminate.recv() => ("SIGTERM", 128 + 15),
                    _ = interrupt.recv() => ("SIGINT", 128 + 2),
                };
                if 1 < count {
                    tracing::warn!(signal = name, "asked twice, ending at once");
                    std::process::exit(status);
                }
                tracing::info!(signal = name, "shutting down");
                trigger.fire();
            }
        });
        Ok(shutdown)
    }

    #[cfg(not(unix))]
    pub fn on_signals() -> io::Result<Self> {
        let (trigger, shutdown) = Self::channel();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                trigger.fire();
            }
        });
        Ok(shutdown)
    }

    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when the shutdown has been requested, at once if it was
    /// before. Cancel-safe.
    pub async fn requested(&self) {
        if self.0.clone().wait_for(|requested| *requested).await.is_err() {
            pending().await
        }
    }
}

impl Trigger {
    pub fn fire(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn everybody_hears_it() {
        let (trigger, shutdown) = Shutdown::channel();
        let early = shutdown.clone();
        let waiting = tokio::spawn(async move { early.requested().await });
        assert!(!shutdown.is_requested());
        trigger.fire();
        assert!(waiting.await.is_ok());
        assert!(shutdown.is_requested());
        shutdown.requested().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_trigger_is_no_wish() {
        let (trigger, shutdown) = Shutdown::channel();
        drop(trigger);
        assert!(timeout(Duration::from_secs(9), shutdown.requested()).await.is_err());
    }
}
