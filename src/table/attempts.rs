//! Attempts: let through here first, then counted by the store.
//!
//! ```text
//!  event ─▶ gate (memory) ─▶ job ─▶ decide ─▶ commit, with the attempts of its batch
//!             │ full, or            │            │ denied: nothing is committed, the gate
//!             ▼ closed by the store │ no commit  ▼ closes, the others are decided again
//!         RATE_LIMITED              └─▶ attempt, then the answer
//! ```
//!
//! The store's windows are those of all instances, so that a reconnect, a
//! second tab or another instance resets nothing. An attempt that leads to a
//! commit is counted in the same step; one that does not (a refusal, a read, a
//! heartbeat) before it is answered. Once the store has refused, the gate here
//! answers until the time that the store named: a flood costs it nothing.
//!
//! While the store is away the gate alone decides: by what this instance has
//! let through itself, never open.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::future::{FutureExt, join};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::info;

use crate::api::client_event::EventName;
use crate::api::failure::Failure;
use crate::limits::{Budgets, Exceeded, Limit, Network};
use crate::poker::ids::{Millis, PlayerId, SessionId};
use crate::store::{Attempt, Budget, Charge, Denied, OutOf, Party, StoreError};
use crate::table::registry::{Shared, Table};
use crate::table::socket_state::SeatLimits;

/// After the store did not answer, how long no attempt waits for it.
const ABSENCE_MS: u64 = 1_000;

/// An attempt of a seat that this instance has let through.
pub(super) struct Admitted {
    pub(super) player: PlayerId,
    pub(super) event: EventName,
    pub(super) limit: Limit,
    pub(super) at: Millis,
    pub(super) limits: Arc<SeatLimits>,
}

/// There were too many before.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooMany {
    pub(super) limit: Limit,
    pub(super) exceeded: Exceeded,
}

/// A budget of those who have no seat yet.
#[derive(Debug)]
pub(super) struct PartyBudget {
    what: &'static str,
    gates: Budgets<Party>,
}

/// Whether the store was away a moment ago.
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// Milliseconds of the store's clock.
    until: AtomicU64,
}

impl Admitted {
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { player: self.player, event: self.event.as_str(), limit: self.limit }
    }

    /// The store does not let it through.
    pub(super) fn refuse(&self, now: Millis, exceeded: Exceeded) {
        self.limits.refuse(self.event, self.limit, self.at, now, exceeded);
    }
}

impl From<TooMany> for Failure {
    fn from(too_many: TooMany) -> Self {
        Self::RateLimited { retry_after_s: too_many.exceeded.retry_after_s() }
    }
}

impl PartyBudget {
    pub(super) fn new(what: &'static str, limit: Limit, parties_max: usize) -> Self {
        Self { what, gates: Budgets::new(limit, parties_max) }
    }

    fn too_many(&self, exceeded: Exceeded) -> TooMany {
        TooMany { limit: self.gates.limit(), exceeded }
    }
}

impl Shared {
    /// Has the store count attempts that lead to no commit; those that it
    /// does not let through.
    pub(super) async fn count(&self, session: SessionId, attempts: Vec<Attempt>) -> Vec<Denied> {
        if attempts.is_empty() || self.absence.lasts(self.store.now()) {
            return Vec::new();
        }
        match self.store.attempt(session, attempts).await {
            Ok(denied) => denied,
            // Lost or over: there is nothing to be protected.
            Err(StoreError::Gone) => Vec::new(),
            Err(error) => {
                self.absence.begin(self.store.now(), &error);
                Vec::new()
            }
        }
    }

    pub(super) async fn count_one(
        &self,
        session: SessionId,
        admitted: &Admitted,
    ) -> Result<(), TooMany> {
        let denied = self.count(session, vec![admitted.attempt()]).await;
        let Some(Denied { exceeded, .. }) = denied.into_iter().next() else { return Ok(()) };
        admitted.refuse(self.store.now(), exceeded);
        Err(TooMany { limit: admitted.limit, exceeded })
    }

    /// Asks budgets of a party here alone.
    fn check(&self, party: Party, asked: &[(&PartyBudget, Charge)]) -> Result<(), TooMany> {
        let at = self.store.now();
        for (budget, _) in asked {
            budget.gates.check(&party, at).map_err(|exceeded| budget.too_many(exceeded))?;
        }
        Ok(())
    }

    /// Asks budgets of a party, here and then in the store. What is to be
    /// counted is only if there is room in all of them.
    async fn charge(&self, party: Party, asked: &[(&PartyBudget, Charge)]) -> Result<(), TooMany> {
        self.check(party, asked)?;
        let at = self.store.now();
        let counted = || asked.iter().filter(|(_, charge)| *charge == Charge::Count);
        for (budget, _) in counted() {
            budget.gates.admit(&party, at).map_err(|exceeded| budget.too_many(exceeded))?;
        }
        if self.absence.lasts(at) {
            return Ok(());
        }
        let budgets = asked.iter().map(|(budget, charge)| Budget {
            what: budget.what,
            limit: budget.gates.limit(),
            charge: *charge,
        });
        let charged = self.store.charge(party, budgets.collect()).await;
        let OutOf { budget, exceeded } = match charged {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(out_of)) => out_of,
            Err(error) => {
                self.absence.begin(self.store.now(), &error);
                return Ok(());
            }
        };
        for (budget, _) in counted() {
            budget.gates.take_back(&party, at);
        }
        let Some((budget, _)) = asked.get(budget) else { return Ok(()) };
        budget.gates.close(&party, self.store.now(), exceeded);
        Err(budget.too_many(exceeded))
    }

    /// The same, and whether everybody together has guessed too often. The
    /// store is asked about neither if either is known to be used up.
    async fn charge_with_all(
        &self,
        party: Party,
        asked: &[(&PartyBudget, Charge)],
    ) -> Result<(), TooMany> {
        let in_all = [(&self.failed_joins_in_all, Charge::Look)];
        self.check(party, asked)?;
        self.check(Party::Everybody, &in_all)?;
        let (own, in_all) =
            join(self.charge(party, asked), self.charge(Party::Everybody, &in_all)).await;
        own.and(in_all)
    }
}

impl Table {
    /// Whether somebody may try to join once more: the holder of a token of
    /// ours by the budget of its seat, so that nobody behind the same address
    /// keeps him out; everybody else unless that address has guessed too often.
    /// Joins that succeed are not counted by address: a whole office sits
    /// behind one. The turn is to be kept until a wrong guess has been counted:
    /// so many as have one may guess more than they should.
    pub(super) async fn admit_join(
        &self,
        from: IpAddr,
        token: Option<&str>,
    ) -> Result<Option<SemaphorePermit<'_>>, TooMany> {
        if let Some(claims) = token.and_then(|token| self.identify(token).ok()) {
            return self.admit_return(claims.session, claims.player).await.map(|()| None);
        }
        // Nobody closes it.
        let turn = self.shared.strangers.turns(from).acquire().await.ok();
        self.check_guesses(from).await?;
        Ok(turn)
    }

    /// Whether a seat may be joined once more by its holder.
    pub(super) async fn admit_return(
        &self,
        session: SessionId,
        player: PlayerId,
    ) -> Result<(), TooMany> {
        let shared = &self.shared;
        let (at, limit) = (shared.store.now(), shared.returns.limit());
        let seat = (session, player);
        shared.returns.admit(&seat, at).map_err(|exceeded| TooMany { limit, exceeded })?;
        let attempt = Attempt { player, event: EventName::SessionJoin.as_str(), limit };
        let denied = shared.count(session, vec![attempt]).await;
        let Some(Denied { exceeded, .. }) = denied.into_iter().next() else { return Ok(()) };
        shared.returns.refuse(&seat, at, shared.store.now(), exceeded);
        Err(TooMany { limit, exceeded })
    }

    /// Whether that address may open one more session.
    pub(super) async fn admit_create(&self, from: IpAddr) -> Result<(), TooMany> {
        let Shared { creates, creates_per_hour, .. } = &*self.shared;
        let both = [(creates, Charge::Count), (creates_per_hour, Charge::Count)];
        self.shared.charge(from.into(), &both).await
    }

    /// Whether that address may guess once more.
    pub(super) async fn check_guesses(&self, from: IpAddr) -> Result<(), TooMany> {
        let shared = &self.shared;
        shared.charge_with_all(from.into(), &[(&shared.failed_joins, Charge::Look)]).await
    }

    /// A guess was wrong. That there were too many is said to the next one.
    pub(super) async fn guessed_wrong(&self, from: IpAddr) {
        let shared = &self.shared;
        let network = [(&shared.failed_joins, Charge::Count)];
        let in_all = [(&shared.failed_joins_in_all, Charge::Count)];
        let network = shared.charge(from.into(), &network);
        join(network, shared.charge(Party::Everybody, &in_all)).map(drop).await;
    }
}

/// Those who come without a token of ours, a few of an address at a time.
#[derive(Debug)]
pub(super) struct Strangers {
    shards: [Semaphore; STRANGER_SHARDS],
    /// Nobody can choose whose turn he takes.
    hasher: RandomState,
}

const STRANGER_SHARDS: usize = 64;
/// Of the addresses of a shard, at the same time.
const STRANGERS_MAX: usize = 8;

impl Strangers {
    fn turns(&self, from: IpAddr) -> &Semaphore {
        let shard = self.hasher.hash_one(Network::from(from)) as usize;
        &self.shards[shard % STRANGER_SHARDS]
    }
}

impl Default for Strangers {
    fn default() -> Self {
        let shards = std::array::from_fn(|_| Semaphore::new(STRANGERS_MAX));
        Self { shards, hasher: RandomState::new() }
    }
}

impl Absence {
    fn lasts(&self, now: Millis) -> bool {
        now.0 < self.until.load(Ordering::Relaxed)
    }

    fn begin(&self, now: Millis, error: &StoreError) {
        info!(%error, "attempts are counted by this instance alone");
        self.until.store(now.add_ms(ABSENCE_MS).0, Ordering::Relaxed);
    }
}
