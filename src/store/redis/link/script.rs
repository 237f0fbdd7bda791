//! Scripts, called by the hash of their text. The calls of the library copy
//! each argument into a buffer of its own first; these write it once.

use std::borrow::Cow;

use redis::{Cmd, ToRedisArgs, cmd};

/// Of most calls; more of either is a matter of growing once.
const ARGUMENTS: usize = 32;
const BYTES: usize = 1_024;

#[derive(Clone)]
pub(crate) struct Script {
    text: Cow<'static, str>,
    /// SHA-1, as 40 hexadecimal digits.
    hash: String,
}

/// A call with its keys and so far its arguments.
pub(crate) struct Call<'a> {
    pub(super) script: &'a Script,
    pub(super) command: Cmd,
}

impl Script {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// A call on keys of one slot.
    pub(crate) fn on<K: ToRedisArgs>(&self, keys: &[K]) -> Call<'_> {
        let mut command = Cmd::with_capacity(ARGUMENTS, BYTES);
        command.arg("EVALSHA").arg(&self.hash).arg(keys.len());
        for key in keys {
            command.arg(key);
        }
        Call { script: self, command }
    }

    /// Makes a server know it.
    pub(crate) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(&*self.text);
        load
    }
}

impl Call<'_> {
    pub(crate) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.command.arg(argument);
        self
    }
}
