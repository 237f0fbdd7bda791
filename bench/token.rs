//! The player token.

mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::ExposeSecret as _;

use cardroom::identity::{Claims, Keyring};
use cardroom::poker::ids::SessionId;

use support::table::{NOW, player};

fn token(c: &mut Criterion) {
    let key = ("k1".to_owned(), "x".repeat(32).into());
    let keyring = Keyring::new([key]).expect("a key");
    let claims = Claims {
        session: SessionId::from_random([1; 10]),
        player: player(1),
        generation: 0,
        issued: NOW,
        expires: NOW.add_ms(3_600_000),
    };
    let token = keyring.mint(&claims);
    let token = token.expose_secret();
    let forged = format!("{}A", &token[..token.len() - 1]);

    let mut group = c.benchmark_group("token");
    group.bench_function("verify", |b| {
        b.iter(|| keyring.verify_token(black_box(token), NOW).is_ok());
    });
    group.bench_function("refuse a forged one", |b| {
        b.iter(|| keyring.verify_token(black_box(&forged), NOW).is_ok());
    });
    group.bench_function("mint", |b| b.iter(|| keyring.mint(black_box(&claims))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = token
}
criterion_main!(benches);
