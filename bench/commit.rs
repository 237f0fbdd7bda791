//! A commit on both stores: of one event, of a batch, and of many sessions at
//! once.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use tokio::runtime::Runtime;

use cardroom::poker::event::Event;
use cardroom::store::SessionStore;

use support::stores::{self, Writer};
use support::table;

/// Sessions that commit at the same time.
const SESSIONS: u8 = 32;

fn commit(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    on(c, &runtime, "memory", &stores::memory());
    if let Some((store, _server)) = runtime.block_on(stores::redis()) {
        on(c, &runtime, "Redis", &store);
    }
}

fn on(c: &mut Criterion, runtime: &Runtime, name: &str, store: &Arc<dyn SessionStore>) {
    let mut group = c.benchmark_group(format!("commit on {name}"));
    let votes = table::votes(32);
    let writers = async {
        let writers = (0..SESSIONS).map(async |number| Writer::new(store, number).await);
        join_all(writers).await
    };
    let mut writers = runtime.block_on(writers);

    for events in [1, 8, 32] {
        group.throughput(Throughput::Elements(events as u64));
        let (writer, votes) = (&mut writers[0], &votes[..events]);
        group.bench_function(format!("{events} in one"), |b| {
            b.iter_custom(|times| timed(runtime, repeat(writer, votes, times)));
        });
    }
    group.throughput(Throughput::Elements(SESSIONS.into()));
    group.bench_function(format!("1 each by {SESSIONS} sessions"), |b| {
        b.iter_custom(|times| {
            let all = writers.iter_mut().map(|writer| repeat(writer, &votes[..1], times));
            timed(runtime, join_all(all))
        });
    });
    group.finish();
}

async fn repeat(writer: &mut Writer, votes: &[Event], times: u64) {
    for _ in 0..times {
        writer.commit(votes).await;
    }
}

#[allow(clippy::disallowed_methods, reason = "criterion wants real time")]
fn timed<T>(runtime: &Runtime, work: impl Future<Output = T>) -> Duration {
    let started = Instant::now();
    runtime.block_on(work);
    started.elapsed()
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = commit
}
criterion_main!(benches);
