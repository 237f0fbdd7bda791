//! One place among the open connections of this instance.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

/// Held for as long as the TCP connection lives, and given back on drop.
///
/// The listener hands it on in the extensions of each request, because a
/// connection that was upgraded outlives the HTTP task that accepted it and
/// must go on counting against `connections_max`.
#[derive(Debug, Clone)]
pub struct ConnectionSlot {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl ConnectionSlot {
    pub fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Arc::new(permit) }
    }
}
