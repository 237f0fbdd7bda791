//! `TimerState` of the catalogue, §3.

use serde::Serialize;

use crate::api::time::Iso;
use crate::poker::ids::{Millis, PlayerId};
use crate::poker::timer::{OnExpire, Timer, TimerPhase};
use crate::poker::word::words;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct TimerState {
    pub is_running: bool,
    /// Seconds.
    pub duration: u64,
    /// Seconds, rounded up; at `server_time`.
    pub remaining_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub started_at: Option<Iso>,
    pub status: TimerStatus,
    pub remaining_ms: u64,
    /// Epoch milliseconds: when it ends, or ended.
    #[cfg_attr(feature = "server", schema(required))]
    pub ends_at: Option<Millis>,
    pub server_time: Millis,
    pub on_expire: OnExpire,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "server", schema(nullable = false))]
    pub started_by: Option<PlayerId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerStatus {
    Idle,
    Running,
    Paused,
    Expired,
}

words! { TimerStatus {
    Idle "idle",
    Running "running",
    Paused "paused",
    Expired "expired",
} }

impl TimerState {
    /// The timer as it stands at `now`.
    pub fn at(timer: &Timer, now: Millis) -> Self {
        let remaining_ms = timer.remaining_ms(now);
        let (status, ends_at) = match timer.phase {
            TimerPhase::Idle => (TimerStatus::Idle, None),
            TimerPhase::Running { ends_at } => (TimerStatus::Running, Some(ends_at)),
            TimerPhase::Paused { .. } => (TimerStatus::Paused, None),
            TimerPhase::Expired { ended_at } => (TimerStatus::Expired, Some(ended_at)),
        };
        Self {
            is_running: matches!(timer.phase, TimerPhase::Running { .. }),
            duration: timer.duration_ms.div_ceil(1_000),
            remaining_time: remaining_ms.div_ceil(1_000),
            started_at: timer.started_at.map(Iso),
            status,
            remaining_ms,
            ends_at,
            server_time: now,
            on_expire: timer.on_expire,
            started_by: timer.started_by,
        }
    }
}
