//! The house in which the functions' tests play: the real binary, and around it
//! a Lambda Runtime API, the extension that knows the secrets, a Redis that can
//! go and come back, a way to it that can be slow, and somebody who opens
//! sessions there as the server does.
//!
//! Only tests use it.

mod function;
mod host;
mod http;
#[path = "../../../tests/support/ports.rs"]
mod ports;
mod proxy;
mod redis_server;
mod runtime_api;
mod secrets;

pub use function::{AS_DEPLOYED, Ended, Function, Outcome, Reply};
pub use host::{Host, KEY_PREFIX, Table};
pub use proxy::Proxy;
pub use redis_server::RedisServer;
pub use secrets::{SESSION_TOKEN, SecretsExtension};

use serde_json::Value;

/// A file of `functions/events`.
pub fn event(name: &str) -> Value {
    let path = format!("{}/../events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}
