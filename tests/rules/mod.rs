//! The rules of the game, told in stories: given a table, when somebody does
//! something, then this happens. Time is a number that the tests move.

mod invariants;
mod table;

mod history;
mod hosts;
mod people;
pub(crate) mod permissions;
mod presence;
mod properties;
mod requests;
mod reveal;
mod session;
mod stories;
mod timer;
mod voting;
