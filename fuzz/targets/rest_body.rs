//! Bodies of the REST API, all of them: what is taken is a JSON object.

#![no_main]

use cardroom::api::client_event::{DEPTH_MAX, SessionJoin, StoryCreate, depth, object};
use cardroom::api::rest::{NewSession, TokenCheck};
use serde::de::IgnoredAny;

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Some((which, body)) = input.split_first() else { return };
    if DEPTH_MAX < depth(body) {
        return;
    }
    let mut bytes = body.to_vec();
    let is_taken = match which & 3 {
        0 => object::<NewSession>(&mut bytes).is_ok(),
        1 => object::<TokenCheck>(&mut bytes).is_ok(),
        2 => object::<SessionJoin>(&mut bytes).is_ok(),
        _ => object::<StoryCreate>(&mut bytes).is_ok(),
    };
    if is_taken {
        assert!(body.trim_ascii_start().starts_with(b"{"));
        assert!(serde_json::from_slice::<IgnoredAny>(body).is_ok(), "what is taken is JSON");
        assert!(str::from_utf8(body).is_ok());
    }
}
