//! What operators see of a server: numbers that are exact, and nothing that
//! is not theirs to see.

mod doors;
pub(crate) mod house;
mod logs;
mod monitoring;
mod numbers;
#[cfg(feature = "otlp")]
mod otlp;
mod secrets;
