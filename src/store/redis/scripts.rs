//! The scripts, each one atomic step on one session.

use redis::Script;

pub(super) struct Scripts {
    pub(super) create: Script,
    pub(super) load: Script,
    pub(super) commit: Script,
    pub(super) read: Script,
    pub(super) snapshot: Script,
    pub(super) touch: Script,
    pub(super) confirm: Script,
    pub(super) restore: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            create: Script::new(include_str!("lua/create.lua")),
            load: Script::new(include_str!("lua/load.lua")),
            commit: Script::new(concat!(
                include_str!("lua/missing.lua"),
                include_str!("lua/commit.lua")
            )),
            read: Script::new(concat!(
                include_str!("lua/missing.lua"),
                include_str!("lua/read.lua")
            )),
            snapshot: Script::new(include_str!("lua/snapshot.lua")),
            touch: Script::new(include_str!("lua/touch.lua")),
            confirm: Script::new(include_str!("lua/confirm.lua")),
            restore: Script::new(include_str!("lua/restore.lua")),
        }
    }
}
