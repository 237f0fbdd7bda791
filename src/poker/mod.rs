//! The game, pure: no async, no clock, no randomness, no I/O, no logging.
//! Time, ids and random bytes come in as arguments; text that people type is
//! parsed once, at the edge, into types that cannot be wrong afterwards.
//!
//! In reading order: the words people write and the cards they play, the
//! state, what somebody wants and what happened, and the functions that hold
//! the rules. Adding a rule means an arm in `decide`, a fact in `event` and
//! its effect in `evolve`.

// Words and values, parsed once.
pub mod card;
pub mod deck;
pub mod ids;
pub mod names;
pub(crate) mod text;
pub(crate) mod word;

// The state.
pub mod policy;
pub mod round;
pub mod seat;
pub mod seats;
pub mod session;
pub mod settings;
pub mod story;
pub mod timer;
pub mod view;

// Intentions, facts, answers.
pub mod command;
pub mod event;
pub mod refusal;
pub mod reply;

// The rules.
mod consequence;
pub mod decide;
pub mod evolve;
pub mod play;
pub mod results;
pub mod tally;
