//! What a socket that comes back is told.

use cardroom::api::offset::Mark;
use cardroom::api::projection::{Audience, project_at};
use cardroom::poker::ids::SessionId;
use cardroom::protocol::Encoded;
use cardroom::store::Entry;

use crate::support::table::player;

/// Entries that follow each other, as `table/session_task/recovering.rs` tells
/// them to a socket of player 1.
pub(crate) fn tell(entries: &[Entry]) -> Encoded {
    let session = SessionId::from_random([1; 10]);
    let mut messages = Vec::new();
    let mut nonce_before = 0;
    for entry in entries {
        let (version, nonce) = (entry.position.version, entry.position.nonce);
        let mark = Mark { version, nonce, nonce_before: Some(nonce_before) };
        for outgoing in project_at(session, &entry.event, mark) {
            let is_meant = match outgoing.audience {
                Audience::Everybody => true,
                Audience::EverybodyBut(seat) => seat != player(1),
                Audience::Player(seat) | Audience::OtherTabs(seat) => seat == player(1),
            };
            if is_meant {
                messages.push(outgoing.message);
            }
        }
        nonce_before = nonce;
    }
    Encoded::joined(&messages)
}
