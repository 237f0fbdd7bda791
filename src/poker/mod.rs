//! The game, pure: no I/O, no clock, no randomness, no logging. Time, ids and
//! random bytes come in as arguments.
//!
//! Text that people type is parsed once, at the edge, into the types of
//! [`names`], [`card`] and [`ids`]; after that it cannot be wrong.

pub mod card;
pub mod deck;
pub mod ids;
pub mod names;
pub mod tally;
pub(crate) mod text;
