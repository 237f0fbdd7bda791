//! Snapshots of a session, as a store gives them: what is read is written the
//! same, and can be shown.

#![no_main]

use cardroom::api::snapshot::Scene;
use cardroom::poker::ids::Millis;
use cardroom::store::codec::{decode_session, kept_session};

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Ok(session) = decode_session(input) else { return };
    assert_eq!(kept_session(&session).as_ref(), Ok(&session));
    let viewer = session.host;
    let scene = Scene::new(&session, Millis(1_700_000_000_000));
    let shown = serde_json::to_vec(&scene.snapshot(viewer)).expect("a snapshot is JSON");
    assert!(!shown.is_empty());
}
