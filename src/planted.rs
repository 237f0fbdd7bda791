//! Bugs that are planted on purpose, to see that the judge of `tests/chaos/`
//! catches them. Without the feature `planted-bugs` there are none: [`is`] is
//! constantly false, and nothing of this is in the program. With it the
//! variable [`VARIABLE`] of the environment names the one that is active.

use std::borrow::Cow;

/// A defect, each at one marked place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// The sender hears "ok" before anything is committed.
    AckBeforeCommit,
    /// A commit is appended wherever the log ends by now.
    SkipTailCheck,
    /// Positions are compared by their versions alone.
    DropNonceCheck,
    /// What was missed is replayed without its first event.
    ReplayOffByOne,
    /// What others committed takes effect twice.
    DoubleApply,
    /// A reveal is decided on a replica that lacks a vote.
    RevealFromStaleReplica,
    /// The log is trimmed further than the snapshot reaches.
    TrimBeyondSnapshot,
    /// A timer that has expired expires again.
    TimerFiresTwice,
    /// A command that is sent again is executed again.
    ForgetRequests,
}

/// The name of the environment variable.
pub const VARIABLE: &str = "CARDROOM_PLANTED_BUG";

impl Bug {
    pub const ALL: &[Self] = &[
        Self::AckBeforeCommit,
        Self::SkipTailCheck,
        Self::DropNonceCheck,
        Self::ReplayOffByOne,
        Self::DoubleApply,
        Self::RevealFromStaleReplica,
        Self::TrimBeyondSnapshot,
        Self::TimerFiresTwice,
        Self::ForgetRequests,
    ];

    /// Its value in the environment: the name of the variant.
    pub fn name(self) -> String {
        format!("{self:?}")
    }
}

#[cfg(not(feature = "planted-bugs"))]
#[inline(always)]
pub const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "planted-bugs")]
pub fn is(bug: Bug) -> bool {
    static ACTIVE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    *ACTIVE.get_or_init(|| std::env::var(VARIABLE).unwrap_or_default()) == bug.name()
}

/// A script of the store, with the bug in it that concerns it.
pub fn script(script: &'static str) -> Cow<'static, str> {
    let active = IN_SCRIPTS.iter().filter(|(bug, ..)| is(*bug));
    active.fold(Cow::Borrowed(script), |script, (_, part, planted)| {
        Cow::Owned(script.replace(part, planted))
    })
}

#[cfg(not(feature = "planted-bugs"))]
const IN_SCRIPTS: &[(Bug, &str, &str)] = &[];

/// Where in a script a bug lies, and what stands there instead.
#[cfg(feature = "planted-bugs")]
const IN_SCRIPTS: &[(Bug, &str, &str)] = &[
    (Bug::SkipTailCheck, "if meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then", "if false then"),
    (Bug::DropNonceCheck, " or meta[3] ~= ARGV[3]", ""),
    (Bug::DropNonceCheck, "log, id, '+'", "log, string.match(id, '^%d+'), '+'"),
    (Bug::DropNonceCheck, " or entries[1][1] ~= id", ""),
    (Bug::TrimBeyondSnapshot, "tonumber(ARGV[2])) - 1", "tonumber(ARGV[2]) + 20)"),
    (Bug::TrimBeyondSnapshot, "tonumber(meta[2]) - tonumber(ARGV[5])", "tonumber(meta[2]) + 20"),
    (Bug::TrimBeyondSnapshot, " or old <= tonumber(oldest[2][4])", ""),
    (Bug::TrimBeyondSnapshot, "if old <= tonumber(entry[2][4]) then", "if false then"),
];
