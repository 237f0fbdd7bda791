//! Who somebody is, without a user database: the signed player token and what
//! it is worth, the password of a session, the pages that may ask. No I/O and no clock; random bytes come in as
//! arguments.
//!
//! A token says which seat of which session it was minted for and nothing
//! else. Roles are state: a transfer takes effect at once.

pub mod keys;
pub mod origins;
pub mod password;
pub mod standing;
pub mod token;

pub use keys::{KeyError, Keyring};
pub use origins::Origins;
pub use standing::Standing;
pub use token::{Claims, TokenRejected};
