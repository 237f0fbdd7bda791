//! Who somebody is, without a user database: the signed player token and the
//! password of a session. No I/O and no clock; random bytes come in as
//! arguments.
//!
//! A token says which seat of which session it was minted for and nothing
//! else. Roles are state: a transfer takes effect at once.

pub mod keys;
pub mod password;
pub mod token;

pub use keys::{KeyError, Keyring};
pub use token::{Claims, TokenRejected};
