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

// Clients that mean no good, and the real program.
#[expect(dead_code, reason = "the long runs are the example's")]
mod abuse;
// What nobody may learn.
mod secrecy;
// Our own TLS.
mod tls;
// A test for each threat, and the table of them.
mod threats;

// What operators see of it.
mod seeing;

// The API over HTTP.
mod rest {
    mod caps;
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
    pub(crate) mod ports;
    pub(crate) mod raw_ws;
}

mod wire {
    mod accept;
    mod admission;
    mod bad_input;
    mod client_address;
    mod close;
    mod concurrency;
    mod cors;
    mod engineio_handshake;
    mod floods;
    mod heartbeat;
    mod hostile_json;
    mod parsers;
    mod polling;
    mod relay;
    mod rfc6455;
    mod slow;
    mod smuggling;
    mod socketio;
    mod suites;
    mod upgrade;
}
