//! What both functions need and is no part of what they do: their environment,
//! secrets, log, the way to Redis, and the form of HTTP answers.

pub mod answer;
pub mod environment;
pub mod log;
pub mod program;
pub mod secrets;
pub mod sessions;
