//! The tracker's task: news at once, everything again and again, part by part.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};
use tracing::{debug, info, warn};

use crate::protocol::{CloseReason, PrivateId};
use crate::store::StoreError;
use crate::store::directory::{Figures, InstanceRecord, Lease};
use crate::table::entropy::jittered;
use crate::table::tracker::ledger::{News, SHARES};
use crate::table::tracker::{BATCH, Inner};

/// After a renewal that failed, about.
const RETRY: Duration = Duration::from_millis(750);
/// Between two announcements, at the most: a wish to drain is heard with the
/// next one, and a tenth of a renewal may come on top.
const ANNOUNCE_EVERY_MAX: Duration = Duration::from_millis(1_250);

enum Wake {
    Renewal,
    News,
    Closing,
}

/// How much is written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// With the lease of the instance.
    All,
    Share(u64),
}

/// Runs until the instance retires.
pub(super) async fn run(inner: Arc<Inner>) {
    let mut renew_at = Instant::now();
    let mut announce_at = renew_at;
    let mut is_away = false;
    let mut share = 0;
    loop {
        let wake = tokio::select! {
            () = inner.closing.notified() => Wake::Closing,
            () = sleep_until(renew_at) => Wake::Renewal,
            () = inner.changed.notified() => Wake::News,
        };
        match wake {
            Wake::Closing => break,
            Wake::Renewal => {
                let is_due = announce_at <= Instant::now();
                let part = if is_away { Part::All } else { Part::Share(share) };
                let renewed = inner.renew(part, is_due).await;
                if is_due {
                    announce_at = Instant::now() + jittered(inner.renew.min(ANNOUNCE_EVERY_MAX));
                }
                share = (share + 1) % SHARES;
                let pause = if renewed.is_ok() { inner.renew / SHARES as u32 } else { RETRY };
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
    /// At least that part; and everything, where nothing of ours was left.
    async fn renew(&self, part: Part, is_due: bool) -> Result<(), StoreError> {
        let mut has_begun = false;
        let renewed = async {
            if is_due || part == Part::All {
                let announcing = self.directory.announce(self.record(), self.lease_ms());
                let announced = announcing.await?;
                has_begun = announced.lease == Lease::Began;
                if announced.is_asked_to_drain {
                    self.is_asked_to_drain.send_replace(true);
                }
            }
            let news = match part {
                Part::Share(number) if !has_begun => self.ledger().share(number),
                _ => self.ledger().all(),
            };
            self.tell(news).await
        };
        let renewed = renewed.await;
        if has_begun {
            info!(instance = %self.instance.id, address = self.instance.address, "announced");
        }
        if has_begun || renewed.is_err() {
            // The directory was away or is new, or we were gone for long.
            self.trust.doubt();
        }
        renewed
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

    /// With the figures of this moment.
    fn record(&self) -> InstanceRecord {
        let figures = Figures { updated_at: self.store.now(), ..self.metrics.figures() };
        InstanceRecord { figures, ..self.instance.clone() }
    }

    fn lease_ms(&self) -> u64 {
        self.lease.as_millis() as u64
    }
}
