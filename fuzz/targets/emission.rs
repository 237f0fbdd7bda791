//! What `@socket.io/redis-emitter` publishes: what is taken is an event in
//! JSON for a bounded number of rooms.

#![no_main]

use cardroom::store::redis::fuzzing::read_emission;
use serde_json::Value;

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Some(emission) = read_emission(input) else { return };
    let array: Vec<Value> = serde_json::from_slice(&emission.array).expect("JSON");
    assert_eq!(array.first().and_then(Value::as_str), Some(emission.name.as_str()));
    assert!(emission.rooms.len() <= 1_000 && emission.except.len() <= 1_000);
    // Escapes take six bytes for one, dates about three.
    assert!(emission.array.len() <= 8 * input.len());
}
