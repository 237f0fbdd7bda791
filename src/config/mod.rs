//! Configuration: defaults ← `cardroom.toml` ← `CARDROOM_*` ← command line.
//!
//! [`sections`] is the table of everything that can be set; [`Arguments`] is
//! the command line. Reading happens once, at the start, and reports
//! everything that is wrong at once, by key. Lower layers never see a
//! [`Config`]: the top hands them their own small structs of numbers.

mod arguments;
mod read;
pub mod sections;
mod table;
mod write;

pub use arguments::{Action, Arguments};
pub use read::{ConfigError, Problem};
pub use sections::{Config, Durability, LogFormat, ProxyProtocol, Reclaim, Transport, network};

#[cfg(test)]
mod tests;
