//! From the arguments of an event to the typed event, by size: what is built
//! in, and the parsers that it was chosen from, on the same types.

mod support;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use cardroom::api::client_event::{self, EventName, StoryCreate, StoryImport, Vote};
use cardroom::api::field::Field;

use support::frames;

fn parsers(c: &mut Criterion) {
    one::<Vote>(c, EventName::VoteSubmit, frames::VOTE);
    one::<StoryCreate>(c, EventName::StoryCreate, &frames::story());
    one::<StoryImport>(c, EventName::StoryImport, &frames::import());
}

fn one<T: Field>(c: &mut Criterion, name: EventName, frame: &str) {
    let size = name.as_str();
    let arguments = frames::arguments(frame);
    let arguments = arguments.as_bytes();
    let mut group = c.benchmark_group("client event");
    group.throughput(Throughput::Bytes(arguments.len() as u64));
    // What stands in the brackets.
    let payload = &arguments[1..arguments.len() - 1];

    group.bench_with_input(BenchmarkId::new("parse", size), arguments, |b, arguments| {
        b.iter_batched_ref(
            || arguments.to_vec(),
            |frame| client_event::parse(name, black_box(frame)).is_ok(),
            BatchSize::SmallInput,
        );
    });
    group.bench_with_input(
        BenchmarkId::new("simd-json, new buffers", size),
        payload,
        |b, payload| {
            b.iter_batched_ref(
                || payload.to_vec(),
                |frame| {
                    let mut json =
                        simd_json::Deserializer::from_slice(black_box(frame)).expect("JSON");
                    T::take(&mut json).expect("JSON").is_ok()
                },
                BatchSize::SmallInput,
            );
        },
    );
    group.bench_with_input(
        BenchmarkId::new("simd-json, kept buffers", size),
        payload,
        |b, payload| {
            let mut buffers = simd_json::Buffers::default();
            let mut kept = Some(simd_json::Tape(Vec::new()));
            b.iter_batched_ref(
                || payload.to_vec(),
                |frame| {
                    let mut tape = kept.take().expect("kept").reset();
                    simd_json::fill_tape(black_box(frame), &mut buffers, &mut tape).expect("JSON");
                    let mut json = simd_json::Deserializer::from_tape(tape);
                    let is_read = T::take(&mut json).expect("JSON").is_ok();
                    kept = Some(json.into_tape().reset());
                    is_read
                },
                BatchSize::SmallInput,
            );
        },
    );
    group.bench_with_input(BenchmarkId::new("serde_json", size), payload, |b, payload| {
        b.iter_batched_ref(
            || payload.to_vec(),
            |frame| {
                let mut json = serde_json::Deserializer::from_slice(black_box(frame));
                T::take(&mut json).expect("JSON").is_ok()
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = parsers
}
criterion_main!(benches);
