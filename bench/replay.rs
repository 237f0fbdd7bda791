//! Coming back: what was missed is read behind an offset, and told as one
//! message.

mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;

use cardroom::store::{Entry, SessionStore};

use support::replay::tell;
use support::stores::{self, Writer};
use support::table;

/// The embedded store keeps that many at least; a log in Redis keeps five
/// minutes.
const IN_MEMORY_MAX: usize = 256;

fn replay(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    telling(c, &runtime);
    reading(c, &runtime, "memory", &stores::memory());
    if let Some((store, _server)) = runtime.block_on(stores::redis()) {
        reading(c, &runtime, "Redis", &store);
    }
}

/// Without a store: projected, encoded, joined.
fn telling(c: &mut Criterion, runtime: &Runtime) {
    let mut group = c.benchmark_group("tell what was missed");
    for missed in [100, 1_000] {
        let events = table::votes(missed);
        let opened = async {
            let mut writer = Writer::new(&stores::memory(), 1).await;
            let before = writer.position();
            writer.commit(&events[..1]).await;
            before
        };
        let entries = Entry::behind(runtime.block_on(opened), 1, events.iter().cloned());
        group.throughput(Throughput::Elements(missed as u64));
        group.bench_function(format!("{missed} events"), |b| b.iter(|| tell(black_box(&entries))));
    }
    group.finish();
}

/// From the question for what was missed to the message for the client.
fn reading(c: &mut Criterion, runtime: &Runtime, name: &str, store: &Arc<dyn SessionStore>) {
    let mut group = c.benchmark_group(format!("read and tell what was missed, {name}"));
    for (number, missed) in [(1, 100), (2, 1_000)] {
        if name == "memory" && IN_MEMORY_MAX < missed {
            continue;
        }
        let written = async {
            let mut writer = Writer::new(store, number).await;
            let before = writer.position();
            for votes in table::votes(missed).chunks(32) {
                writer.commit(votes).await;
            }
            (writer, before)
        };
        let (writer, before) = runtime.block_on(written);
        group.throughput(Throughput::Elements(missed as u64));
        group.bench_function(format!("{missed} events"), |b| {
            b.iter(|| tell(&runtime.block_on(writer.read_after(before))));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = replay
}
criterion_main!(benches);
