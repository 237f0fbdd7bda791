//! The tracker's task: news at once, everything again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use crate::protocol::{CloseReason, PrivateId};
use crate::store::StoreError;
use crate::store::directory::Lease;
use crate::table::entropy::jittered;
use crate::table::tracker::ledger::News;
use crate::table::tracker::{BATCH, Inner};

/// After a renewal that failed, about.
const RETRY: Duration = Duration::from_millis(750);

enum Wake {
    Renewal,
    News,
    Closing,
}

/// Runs until the instance retires.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut renew_at = Instant::now();
    let mut is_away = false;
    loop {
        let wake = tokio::select! {
            () = inner.closing.notified() => Wake::Closing,
            () = sleep_until(renew_at) => Wake::Renewal,
            () = inner.changed.notified() => Wake::News,
        };
        match wake {
            Wake::Closing => break,
            Wake::Renewal => {
                let renewed = inner.renew().await;
                let pause = if renewed.is_ok() { inner.renew } else { RETRY.min(inner.renew) };
                renew_at = Instant::now() + jittered(pause);
                match &renewed {
                    Ok(()) if is_away => info!("the directory is back"),
                    Err(error) if !is_away => warn!(%error, "the directory is away"),
                    _ => {}
                }
                is_away = renewed.is_err();
            }
            Wake::News => {
                sleep(BATCH).await;
                let news = inner.ledger().news();
                if let Err(error) = inner.tell(news).await {
                    debug!(%error, "the directory was not told; the next renewal does it");
                }
            }
        }
    }
    if let Err(error) = inner.retire().await {
        warn!(%error, "the directory was not told of the end; the leases end by themselves");
    }
}

impl Inner {
    async fn renew(&self) -> Result<(), StoreError> {
        let renewed = self.renew_all().await;
        if renewed.is_err() {
            self.trust.doubt();
        }
        renewed
    }

    async fn renew_all(&self) -> Result<(), StoreError> {
        match self.directory.announce(self.instance.clone(), self.lease_ms()).await? {
            Lease::Renewed => {}
            Lease::Began => {
                self.trust.doubt();
                info!(instance = %self.instance.id, address = self.instance.address, "announced");
            }
        }
        let news = self.ledger().all();
        self.tell(news).await
    }

    async fn tell(&self, news: News) -> Result<(), StoreError> {
        let forgotten = news.forgotten.clone();
        let told = self.tell_all(news).await;
        if told.is_err() {
            self.ledger().untold(News { forgotten, ..News::default() });
        }
        told
    }

    /// First who left: one that took another place is here.
    async fn tell_all(&self, news: News) -> Result<(), StoreError> {
        let News { left, came, recoverable, forgotten } = news;
        if !left.is_empty() {
            self.directory.untrack(left).await?;
        }
        if !came.is_empty() {
            self.directory.track(came, self.lease_ms()).await?;
        }
        if !recoverable.is_empty() {
            let claims: HashMap<PrivateId, u32> =
                recoverable.iter().map(|record| (record.id, record.claims)).collect();
            let kept = self.directory.keep_recoverable(recoverable, self.recovery_window_ms);
            for id in kept.await? {
                self.let_go(id, claims.get(&id).copied().unwrap_or_default());
            }
        }
        if !forgotten.is_empty() {
            self.directory.forget_recoverable(forgotten).await?;
        }
        Ok(())
    }

    /// The socket has come back elsewhere: what is here speaks to nobody.
    fn let_go(&self, id: PrivateId, claims: u32) {
        let relic = self.ledger().superseded(id, claims);
        if let Some(socket) = relic {
            socket.close(CloseReason::Superseded);
        }
    }

    async fn retire(&self) -> Result<(), StoreError> {
        let news = self.ledger().close();
        let told = self.tell_all(news).await;
        self.directory.retire(self.instance.id).await?;
        told
    }

    fn lease_ms(&self) -> u64 {
        self.lease.as_millis() as u64
    }
}
