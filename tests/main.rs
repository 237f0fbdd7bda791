//! One integration binary, a file per story.

// The game, pure.
mod consensus;
mod rules;

// The store's contract and the architecture.
mod layers;
mod store;

// The table on a store that fails.
mod table;

// The wire.
#[expect(dead_code, reason = "the example serves profiles of which the tests take parts")]
mod conformance {
    pub(crate) mod client;
    pub(crate) mod engine;
    pub(crate) mod engineclient;
    pub(crate) mod engineio;
    pub(crate) mod json;
    pub(crate) mod socketio;
    pub(crate) mod websocket;
}

mod clients;

// Our own TLS.
mod tls;

// What operators see of it.
mod seeing;

// The API over HTTP.
mod rest {
    mod front;
    mod house;
    mod seats;
    mod sessions;
    mod stories;
}

mod support {
    pub(crate) mod app;
    pub(crate) mod eio;
    pub(crate) mod house;
    pub(crate) mod http;
    pub(crate) mod node;
    pub(crate) mod raw_ws;
}

mod wire {
    mod accept;
    mod bad_input;
    mod close;
    mod concurrency;
    mod cors;
    mod engineio_handshake;
    mod heartbeat;
    mod polling;
    mod relay;
    mod rfc6455;
    mod socketio;
    mod suites;
    mod upgrade;
}
