//! One integration binary, a file per story.

mod consensus;
mod rules;

mod conformance {
    pub(crate) mod websocket;
}

mod support {
    pub(crate) mod raw_ws;
}

mod wire {
    mod accept;
    mod rfc6455;
}
