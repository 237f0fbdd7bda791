//! One message to all members of a room: into their outboxes, and out again.

mod support;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use cardroom::protocol::Encoded;

use support::crowd::Crowd;

fn fan_out(c: &mut Criterion) {
    let message = Encoded::event_with("/", "vote:submitted", &"x".repeat(200)).expect("JSON");
    let mut group = c.benchmark_group("fan-out");
    for members in [10, 100, 1_000] {
        let crowd = Crowd::of(members);
        group.throughput(Throughput::Elements(members.into()));
        group.bench_function(format!("to {members}"), |b| {
            b.iter_batched(
                || crowd.drain(),
                |()| assert_eq!(crowd.room.send(&message), members as usize),
                BatchSize::PerIteration,
            );
        });
        crowd.drain();
        group.bench_function(format!("to {members}, and taken by each"), |b| {
            b.iter(|| {
                crowd.room.send(&message);
                crowd.drain();
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = fan_out
}
criterion_main!(benches);
