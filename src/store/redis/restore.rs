//! Putting sessions back into a Redis that has lost them.

use std::time::Duration;

/// New commits wait for so long after a session was put back, so that
/// whoever has more of it can say so.
pub(super) const BARRIER: Duration = Duration::from_millis(1_000);
