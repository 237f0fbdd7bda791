//! (under construction)

pub mod card;
pub mod deck;
pub mod ids;
pub mod names;
pub mod tally;
