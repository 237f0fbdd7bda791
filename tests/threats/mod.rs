//! The threats of `reliability.md` §4.2, a test for each row: the row's
//! essential attack on a running server. Where more is proved elsewhere, the
//! row names it; the table is printed, and written to `target/threats.md`.

mod browser;
mod game;
mod limits;
mod operators;
mod parsers;
mod program;
mod shipped;
mod sources;
mod table;
mod tls;
mod traces;
mod wire;
mod witness;
