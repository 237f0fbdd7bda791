//! Calls of a kind that come in crowds: one is under way at a time, and what
//! comes meanwhile travels together with the next. Nobody waits for others to
//! come, and an answer is always to a call that began after it was asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// As many may wait as there are callers: each waits for its answer.
pub(super) struct Convoy<T, R> {
    waiting: Waiting<T, R>,
}

/// None: nothing is under way.
type Waiting<T, R> = Arc<Mutex<Option<Vec<(T, oneshot::Sender<R>)>>>>;

impl<T, R> Default for Convoy<T, R> {
    fn default() -> Self {
        Self { waiting: Arc::default() }
    }
}

impl<T: Send + 'static, R: Send + 'static> Convoy<T, R> {
    /// The answer to `item`. `call` is given those that travel together, and
    /// answers each, in order. None if the call came to nothing (a panic, the
    /// end of the runtime).
    pub(super) async fn travel<C, F>(&self, item: T, call: C) -> Option<R>
    where
        C: Fn(Vec<T>) -> F + Clone + Send + 'static,
        F: Future<Output = Vec<R>> + Send + 'static,
    {
        match self.enter(item) {
            Entered::Waits(answer) => answer.await.ok(),
            Entered::Leads(item) => {
                let _lead = Lead { waiting: Arc::clone(&self.waiting), call: call.clone() };
                call(vec![item]).await.pop()
            }
        }
    }

    fn enter(&self, item: T) -> Entered<T, R> {
        let mut waiting = lock(&self.waiting);
        let Some(waiting) = &mut *waiting else {
            *waiting = Some(Vec::new());
            return Entered::Leads(item);
        };
        let (sender, answer) = oneshot::channel();
        waiting.push((item, sender));
        Entered::Waits(answer)
    }
}

enum Entered<T, R> {
    Leads(T),
    Waits(oneshot::Receiver<R>),
}

/// A call is under way; when it ends, also because its caller is gone, the
/// next begins with all that wait.
struct Lead<T, R, C, F>
where
    T: Send + 'static,
    R: Send + 'static,
    C: Fn(Vec<T>) -> F + Clone + Send + 'static,
    F: Future<Output = Vec<R>> + Send + 'static,
{
    waiting: Waiting<T, R>,
    call: C,
}

impl<T, R, C, F> Drop for Lead<T, R, C, F>
where
    T: Send + 'static,
    R: Send + 'static,
    C: Fn(Vec<T>) -> F + Clone + Send + 'static,
    F: Future<Output = Vec<R>> + Send + 'static,
{
    fn drop(&mut self) {
        let mut waiting = lock(&self.waiting);
        let next = waiting.take().unwrap_or_default();
        // Without a runtime nobody waits for an answer either.
        let Ok(runtime) = Handle::try_current() else { return };
        if next.is_empty() {
            return;
        }
        *waiting = Some(Vec::new());
        let lead = Self { waiting: Arc::clone(&self.waiting), call: self.call.clone() };
        runtime.spawn(async move {
            let (items, callers): (Vec<T>, Vec<oneshot::Sender<R>>) = next.into_iter().unzip();
            for (caller, answer) in callers.into_iter().zip((lead.call)(items).await) {
                // Some have stopped waiting.
                let _ = caller.send(answer);
            }
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    const FLIGHT: Duration = Duration::from_millis(10);

    /// Counts the calls; each answers with ten times what it was given.
    fn call(calls: &Arc<Mutex<Vec<usize>>>) -> impl Fn(Vec<u32>) -> Flight + Clone + use<> {
        let calls = Arc::clone(calls);
        move |items| {
            lock(&calls).push(items.len());
            Box::pin(async move {
                sleep(FLIGHT).await;
                items.into_iter().map(|item| item * 10).collect()
            })
        }
    }

    type Flight = std::pin::Pin<Box<dyn Future<Output = Vec<u32>> + Send>>;

    #[tokio::test(start_paused = true)]
    async fn what_comes_meanwhile_travels_together() {
        let (convoy, calls) = (Convoy::default(), Arc::default());
        let began = Instant::now();
        let answers = join_all((0..50).map(|item| convoy.travel(item, call(&calls)))).await;
        assert_eq!(answers, (0..50).map(|item| Some(item * 10)).collect::<Vec<_>>());
        assert_eq!(*lock(&calls), [1, 49]);
        assert_eq!(began.elapsed(), FLIGHT * 2);
        // And it is as idle as before.
        assert_eq!(convoy.travel(7, call(&calls)).await, Some(70));
        assert_eq!(began.elapsed(), FLIGHT * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn who_leads_and_goes_leaves_nobody_behind() {
        let (convoy, calls) = (Convoy::default(), Arc::default());
        let leading = timeout(FLIGHT / 2, convoy.travel(1, call(&calls)));
        let (led, followed) = tokio::join!(leading, convoy.travel(2, call(&calls)));
        assert!(led.is_err());
        assert_eq!(followed, Some(20));
        // One that waited and goes is answered in vain.
        let second = async {
            let _ = timeout(FLIGHT / 2, convoy.travel(4, call(&calls))).await;
            convoy.travel(5, call(&calls)).await
        };
        let (first, second) = tokio::join!(convoy.travel(3, call(&calls)), second);
        assert_eq!((first, second), (Some(30), Some(50)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_panics_leaves_nobody_waiting() {
        let convoy: Convoy<u32, u32> = Convoy::default();
        let panics = |items: Vec<u32>| async move {
            sleep(FLIGHT).await;
            assert!(items.len() < 2, "planted");
            items
        };
        let both = join_all([1, 2, 3].map(|item| convoy.travel(item, panics))).await;
        assert_eq!(both, [Some(1), None, None]);
        assert_eq!(convoy.travel(4, panics).await, Some(4));
    }
}
