//! The addresses of the other instances, remembered for a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use crate::protocol::sid::Owner;
use crate::transport::relay::owners::Owners;

/// How long an answer is good for.
const FOUND_FOR: Duration = Duration::from_secs(2);
const MISSING_FOR: Duration = Duration::from_secs(1);

/// An instance that was there is believed to be there until it has been
/// missing for so long: a directory that came back empty is filled again by
/// those who live. Whoever is dead does not take connections anyway.
const GONE_AFTER: Duration = Duration::from_secs(6);

/// While a request waits, its owner is looked for this often.
const WATCH_EVERY: Duration = Duration::from_secs(3);

/// Instances remembered; those that are gone are forgotten first.
const KNOWN_MAX: usize = 1_024;

/// Questions under way at one time; further ones wait for these.
const QUESTIONS_MAX: usize = 8;

pub(super) struct Addresses {
    owners: Arc<dyn Owners>,
    known: Mutex<HashMap<Owner, Known>>,
    questions: Semaphore,
}

#[derive(Debug)]
struct Known {
    address: Option<Arc<str>>,
    asked: Instant,
    missing_since: Option<Instant>,
}

enum Memory {
    Good(Option<Arc<str>>),
    /// An address; the caller has to ask again.
    Old,
    None,
}

impl Addresses {
    pub(super) fn new(owners: Arc<dyn Owners>) -> Self {
        Self { owners, known: Mutex::default(), questions: Semaphore::new(QUESTIONS_MAX) }
    }

    /// Where the owner is, as far as anybody knows.
    pub(super) async fn find(&self, owner: Owner) -> Option<Arc<str>> {
        let answer = match self.remember(owner) {
            Memory::Good(address) => return address,
            Memory::Old => self.owners.address_of(owner).await,
            Memory::None => {
                let _question = self.questions.acquire().await.ok()?;
                // Whoever waited for the same owner has its answer now.
                if let Memory::Good(address) = self.remember(owner) {
                    return address;
                }
                self.owners.address_of(owner).await
            }
        };
        let mut all = self.known();
        make_room(&mut all);
        let now = Instant::now();
        let known =
            all.entry(owner).or_insert(Known { address: None, asked: now, missing_since: None });
        known.asked = now;
        match answer {
            Ok(Some(address)) => {
                known.address = Some(address);
                known.missing_since = None;
            }
            Ok(None) => {
                let since = *known.missing_since.get_or_insert(now);
                if GONE_AFTER <= now.duration_since(since) {
                    known.address = None;
                }
            }
            Err(error) => tracing::debug!(%error, "owner of a connection not looked up"),
        }
        known.address.clone()
    }

    /// Returns when the owner is gone by all that is known.
    pub(super) async fn until_gone(&self, owner: Owner) {
        loop {
            sleep(WATCH_EVERY).await;
            if self.find(owner).await.is_none() {
                return;
            }
        }
    }

    /// An old address is looked up by one, and good enough for everybody else
    /// meanwhile.
    fn remember(&self, owner: Owner) -> Memory {
        let mut all = self.known();
        let Some(known) = all.get_mut(&owner) else { return Memory::None };
        let good_for = if known.address.is_some() { FOUND_FOR } else { MISSING_FOR };
        let now = Instant::now();
        if now.duration_since(known.asked) < good_for {
            return Memory::Good(known.address.clone());
        }
        if known.address.is_none() {
            return Memory::None;
        }
        known.asked = now;
        Memory::Old
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Owner, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(all: &mut HashMap<Owner, Known>) {
    if KNOWN_MAX <= all.len() {
        all.retain(|_, known| known.address.is_some());
    }
    if KNOWN_MAX <= all.len() {
        all.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::{BoxFuture, FutureExt, join_all};

    use crate::transport::relay::owners::OwnersUnavailable;

    use super::*;

    #[derive(Default)]
    struct Told {
        answer: Mutex<Option<Result<Option<Arc<str>>, OwnersUnavailable>>>,
        questions: AtomicU32,
    }

    impl Told {
        fn tell(&self, answer: Result<Option<&str>, OwnersUnavailable>) {
            *self.answer.lock().unwrap() = Some(answer.map(|address| address.map(Arc::from)));
        }

        fn questions(&self) -> u32 {
            self.questions.swap(0, Ordering::Relaxed)
        }
    }

    impl Owners for Told {
        fn address_of(
            &self,
            _: Owner,
        ) -> BoxFuture<'_, Result<Option<Arc<str>>, OwnersUnavailable>> {
            self.questions.fetch_add(1, Ordering::Relaxed);
            let answer = self.answer.lock().unwrap().clone().unwrap_or(Ok(None));
            async move {
                tokio::task::yield_now().await;
                answer
            }
            .boxed()
        }
    }

    const OWNER: Owner = Owner(1);

    fn addresses() -> (Arc<Told>, Addresses) {
        let told = Arc::new(Told::default());
        (Arc::clone(&told), Addresses::new(told))
    }

    async fn after(time: Duration) {
        tokio::time::advance(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_good_for_a_moment_and_for_everybody() {
        let (told, addresses) = addresses();
        told.tell(Ok(Some("here:1")));
        for address in join_all((0..100).map(|_| addresses.find(OWNER))).await {
            assert_eq!(address.as_deref(), Some("here:1"));
        }
        assert!(told.questions() <= QUESTIONS_MAX as u32);
        after(FOUND_FOR).await;
        told.tell(Ok(Some("there:2")));
        let found = join_all((0..100).map(|_| addresses.find(OWNER))).await;
        assert_eq!(told.questions(), 1);
        assert_eq!(found.first().cloned().flatten().as_deref(), Some("there:2"));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_looked_for_again_and_again() {
        let (told, addresses) = addresses();
        for _ in 0..1_000 {
            assert_eq!(addresses.find(OWNER).await, None);
        }
        assert_eq!(told.questions(), 1);
        after(MISSING_FOR).await;
        told.tell(Ok(Some("here:1")));
        assert!(addresses.find(OWNER).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_directory_that_was_emptied_or_is_away_forgets_nobody_at_once() {
        let (told, addresses) = addresses();
        told.tell(Ok(Some("here:1")));
        assert!(addresses.find(OWNER).await.is_some());
        told.tell(Err(OwnersUnavailable));
        after(Duration::from_secs(600)).await;
        assert!(addresses.find(OWNER).await.is_some());
        told.tell(Ok(None));
        after(FOUND_FOR).await;
        assert!(addresses.find(OWNER).await.is_some());
        let started = Instant::now();
        addresses.until_gone(OWNER).await;
        assert!(GONE_AFTER <= started.elapsed() && started.elapsed() <= GONE_AFTER * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let (_, addresses) = addresses();
        for owner in 0..3 * KNOWN_MAX as u64 {
            addresses.find(Owner(owner)).await;
        }
        assert!(addresses.known().len() <= KNOWN_MAX);
    }
}
