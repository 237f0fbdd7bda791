//! The scripts, each one atomic step on one session.

use crate::planted;
use crate::store::redis::link::Script;

/// Redis takes a script with this first line for one that may write, and a
/// replica refuses it (READONLY): one that is being filled knows no session,
/// and must not be believed. A Redis without memory to spare still reads.
macro_rules! on_primary {
    () => {
        "#!lua flags=allow-oom\n"
    };
}

pub(super) struct Scripts {
    pub(super) create: Script,
    pub(super) load: Script,
    pub(super) commit: Script,
    pub(super) attempt: Script,
    pub(super) charge: Script,
    pub(super) read: Script,
    pub(super) snapshot: Script,
    pub(super) touch: Script,
    pub(super) confirm: Script,
    pub(super) restore: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            create: script(include_str!("lua/create.lua")),
            load: script(concat!(on_primary!(), include_str!("lua/load.lua"))),
            commit: script(concat!(
                include_str!("lua/missing.lua"),
                include_str!("lua/window.lua"),
                include_str!("lua/seats.lua"),
                include_str!("lua/commit.lua")
            )),
            attempt: script(concat!(
                include_str!("lua/window.lua"),
                include_str!("lua/seats.lua"),
                include_str!("lua/attempt.lua")
            )),
            charge: script(concat!(include_str!("lua/window.lua"), include_str!("lua/charge.lua"))),
            read: script(concat!(
                on_primary!(),
                include_str!("lua/missing.lua"),
                include_str!("lua/read.lua")
            )),
            snapshot: script(include_str!("lua/snapshot.lua")),
            touch: script(include_str!("lua/touch.lua")),
            confirm: script(include_str!("lua/confirm.lua")),
            restore: script(include_str!("lua/restore.lua")),
        }
    }
}

fn script(text: &'static str) -> Script {
    Script::new(planted::script(text))
}
