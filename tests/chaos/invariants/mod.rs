//! One file per kind of promise; the numbers I1 to I15 are those of the list
//! in README.md of this folder.

pub(crate) mod commands;
pub(crate) mod delivery;
pub(crate) mod figures;
pub(crate) mod liveness;
pub(crate) mod log;
pub(crate) mod reveal;
pub(crate) mod rules;
pub(crate) mod secrecy;
pub(crate) mod snapshots;

mod same;
