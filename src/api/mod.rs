//! The wire vocabulary: what clients may say and what they are told.
//!
//! In: [`ClientEvent`], parsed from a frame's own buffer straight into the
//! domain's types. Out: the shapes of the catalogue (§3) as serialisable
//! views, acknowledgements, errors, and the projection from a domain event to
//! server events. Adding a client event is a row in `client_event`; adding a
//! server event is an arm in `projection`.

// In.
pub mod client_event;
pub mod deck_choice;
pub mod field;
pub mod field_types;
mod json;
pub mod payload;
pub mod rest;
pub mod settings_edit;

// Out: types of the catalogue, §3.
pub mod player;
pub mod results;
pub mod round;
pub mod settings;
pub mod snapshot;
pub mod story;
pub mod time;
pub mod timer;
pub mod written;

// Both, described.
#[cfg(feature = "server")]
pub mod asyncapi;
#[cfg(feature = "server")]
pub mod schema;
#[cfg(all(test, feature = "server"))]
mod typescript;

// Out: answers.
pub mod ack;
pub mod failure;
pub mod offset;
pub mod problem;
#[cfg(feature = "server")]
pub mod projection;
pub mod server_event;

pub use client_event::ClientEvent;
pub use failure::Failure;
