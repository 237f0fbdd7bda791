//! The poker application: sockets on one side, the rules and the store on the
//! other.
//!
//! ```text
//!  socket ──event──▶ app ──job──▶ session task ──commit──▶ store
//!    ▲                              │  (replica, members)     │
//!    └────── outbox ◀── members ◀───┴──────── update ◀────────┘
//! ```
//!
//! One task per live session executes its commands in order and turns a burst
//! into one commit. An acknowledgement is sent after the commit, never before.

// What a socket says, and what becomes of it.
mod answer;
mod app;
mod attempts;
mod ending;
mod intent;
mod joining;
mod recovery;
mod recovery_failure;
mod refusing;
mod socket_state;
mod story_import;

// One session on this instance.
mod handle;
mod members;
mod session_task;

// All of them.
mod entropy;
mod lobby;
mod neighbours;
mod options;
mod reception;
mod registry;
mod tracker;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

pub use entropy::draw_instance_id;
pub use handle::Executed;
pub use options::{RecoveryOptions, TableOptions};
pub use reception::{Authorised, CreateRequest, Created, JoinRequest, Seated};
pub use recovery_failure::{RecoveryCounts, RecoveryFailure};
pub use registry::Table;
