//! The rules, and what is told of what they decide.

mod support;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use cardroom::api::offset::Mark;
use cardroom::api::projection::project_at;
use cardroom::poker::decide::decide;
use cardroom::poker::event::Fact;
use cardroom::poker::ids::SessionId;
use cardroom::poker::play::play;

use support::table::{self, NOW};

fn rules(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide and evolve");
    for seats in [10, 1_000] {
        let session = table::voted(seats);
        let vote = table::change(1, "13");
        group.bench_function(format!("vote among {seats}, decide alone"), |b| {
            b.iter(|| decide(black_box(&session), &vote, NOW).is_ok());
        });
        let mut session = session;
        let (one, other) = (table::change(1, "13"), table::change(1, "5"));
        group.bench_function(format!("two votes among {seats}"), |b| {
            b.iter(|| {
                let first = play(&mut session, black_box(&one), NOW).is_ok();
                first && play(&mut session, black_box(&other), NOW).is_ok()
            });
        });
    }
    for seats in [10, 1_000] {
        let session = table::voted(seats);
        let reveal = table::reveal();
        group.bench_function(format!("reveal of {seats}"), |b| {
            b.iter_batched_ref(
                || session.clone(),
                |session| play(session, &reveal, NOW).is_ok(),
                BatchSize::LargeInput,
            );
        });
    }
    group.finish();
}

/// From an event to the bytes of the messages that tell of it.
fn projection(c: &mut Criterion) {
    let mut group = c.benchmark_group("project and encode");
    let id = SessionId::from_random([1; 10]);
    let mark = Mark { version: 123, nonce: 0x9a0c_73e1_b2d4, nonce_before: Some(0x77b1_e0c4) };
    let votes = table::votes(1);
    group.bench_function("vote", |b| b.iter(|| project_at(id, black_box(&votes[0]), mark)));
    for seats in [10, 1_000] {
        let mut session = table::voted(seats);
        let events = play(&mut session, &table::reveal(), NOW).expect("votes").events;
        let revealed = events.iter().find(|event| matches!(event.fact, Fact::Revealed { .. }));
        let revealed = revealed.expect("a reveal");
        group.bench_function(format!("reveal of {seats}"), |b| {
            b.iter(|| project_at(id, black_box(revealed), mark));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = rules, projection
}
criterion_main!(benches);
