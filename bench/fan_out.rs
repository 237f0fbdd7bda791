//! One message to all members of a room: into their outboxes, and out again.

mod support;

use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

use cardroom::hub::{Hub, Membership, Outbox, OutboxLimits, Room};
use cardroom::protocol::{Encoded, SocketId};

fn fan_out(c: &mut Criterion) {
    let message = Encoded::event_with("/", "vote:submitted", &"x".repeat(200)).expect("JSON");
    let mut group = c.benchmark_group("fan-out");
    for members in [10, 100, 1_000] {
        let (room, outboxes, _memberships) = crowd(members);
        group.throughput(Throughput::Elements(members.into()));
        group.bench_function(format!("to {members}"), |b| {
            b.iter_batched(
                || drain(&outboxes),
                |()| assert_eq!(room.send(&message), members as usize),
                BatchSize::PerIteration,
            );
        });
        drain(&outboxes);
        group.bench_function(format!("to {members}, and taken by each"), |b| {
            b.iter(|| {
                room.send(&message);
                drain(&outboxes);
            });
        });
    }
    group.finish();
}

fn drain(outboxes: &[Arc<Outbox>]) {
    for outbox in outboxes {
        drop(outbox.take_all());
    }
}

fn crowd(members: u32) -> (Arc<Room>, Vec<Arc<Outbox>>, Vec<Membership>) {
    let room = Hub::new().room("session:1");
    let outbox = |_| Arc::new(Outbox::new(OutboxLimits::default()));
    let outboxes: Vec<_> = (0..members).map(outbox).collect();
    let join = |(number, outbox): (u32, &Arc<Outbox>)| {
        let mut random = [0; 15];
        random[..4].copy_from_slice(&number.to_be_bytes());
        room.join(SocketId::from_random(random), Arc::clone(outbox))
    };
    let memberships = (0..members).zip(&outboxes).map(join).collect();
    (room, outboxes, memberships)
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = fan_out
}
criterion_main!(benches);
