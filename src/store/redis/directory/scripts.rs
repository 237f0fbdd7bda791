//! The scripts of the directory: each one atomic step on the keys of one
//! session, one instance or one socket.

use crate::store::redis::link::Script;

pub(in crate::store::redis) struct DirectoryScripts {
    pub(super) list: Script,
    pub(super) announce: Script,
    pub(super) request_drain: Script,
    pub(super) track: Script,
    pub(super) untrack: Script,
    pub(super) drop_connections: Script,
    pub(super) keep: Script,
    pub(super) claim: Script,
}

impl DirectoryScripts {
    pub(in crate::store::redis) fn new() -> Self {
        Self {
            list: Script::new(include_str!("lua/list.lua")),
            announce: Script::new(include_str!("lua/announce.lua")),
            request_drain: Script::new(include_str!("lua/request_drain.lua")),
            track: Script::new(include_str!("lua/track.lua")),
            untrack: Script::new(include_str!("lua/untrack.lua")),
            drop_connections: Script::new(include_str!("lua/drop_connections.lua")),
            keep: Script::new(include_str!("lua/keep.lua")),
            claim: Script::new(include_str!("lua/claim.lua")),
        }
    }
}
