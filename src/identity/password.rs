//! The password of a session, hashed with Argon2id.
//!
//! Hashing takes tens of milliseconds and 7 MiB on purpose: async callers go
//! through `spawn_blocking`, behind the limit on failed joins.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use unicode_normalization::UnicodeNormalization;

/// In Unicode scalar values; the least is asked of new passwords only.
pub const PASSWORD_CHARS_MIN: usize = 4;
pub const PASSWORD_CHARS_MAX: usize = 128;

/// A PHC string (`$argon2id$…`). Store it; it is still a secret.
pub fn hash(password: &str, salt: &[u8; 16]) -> String {
    let hash: PasswordHash = argon2()
        .hash_password_with_salt(composed(password).as_bytes(), salt)
        .expect("a bounded password and a salt of 16 bytes can be hashed");
    hash.to_string()
}

/// `false` also for a stored hash that is none.
pub fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|hash| argon2().verify_password(composed(password).as_bytes(), &hash).is_ok())
}

/// One of the parameter sets of the OWASP Password Storage Cheat Sheet, the
/// one with the least memory: many sessions share the server.
fn argon2() -> Argon2<'static> {
    let params =
        Params::new(MEMORY_KIB, ITERATIONS, LANES, None).expect("the parameters are legal");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Keyboards disagree about `é`; the password is the same.
fn composed(password: &str) -> String {
    password.nfc().collect()
}

const MEMORY_KIB: u32 = 7 * 1024;
const ITERATIONS: u32 = 5;
const LANES: u32 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifies_what_it_hashed() {
        let stored = hash("café", &[7; 16]);
        assert!(stored.starts_with("$argon2id$v=19$m=7168,t=5,p=1$"), "{stored}");
        assert!(verify("cafe\u{301}", &stored));
        assert!(!verify("cafe", &stored));
        assert!(!verify("café", "not a hash"));
        assert_ne!(stored, hash("café", &[8; 16]));
    }
}
