//! A door for `fuzz/`: the query of the handshake.

use crate::transport::engineio;

/// The value of a query parameter that stands there exactly once.
pub fn only(query: &str, name: &str) -> Option<String> {
    engineio::only(query, name)
}
