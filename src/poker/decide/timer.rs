//! The clock on the wall.

use crate::poker::command::{Actor, Aim};
use crate::poker::decide::{Decision, guard};
use crate::poker::event::Fact;
use crate::poker::ids::{Millis, StoryId};
use crate::poker::refusal::{Refusal, Required};
use crate::poker::reply::Reply;
use crate::poker::session::Session;
use crate::poker::timer::{OnExpire, TIMER_SECONDS_MAX, Timer, TimerPhase};

const TIMER_MS_MAX: u64 = TIMER_SECONDS_MAX as u64 * 1_000;
const SECONDS_UNLESS_SET: u16 = 60;

/// Somebody who may run the timer starts it, in any phase; a running one is
/// replaced.
pub(super) fn start(
    session: &Session,
    by: Actor,
    seconds: Option<u16>,
    on_expire: Option<OnExpire>,
    story: Option<StoryId>,
    now: Millis,
) -> Result<Decision, Refusal> {
    let seat = guard::permitted(session, by, Required::Timer, now)?;
    guard::current(session, Aim { story, round: None })?;
    let seconds = seconds.unwrap_or_else(|| session.timer_seconds());
    if seconds == 0 || TIMER_SECONDS_MAX < u32::from(seconds) {
        return Err(Refusal::BadValue {
            field: "duration",
            expected: "a whole number of seconds from 1 to 3600",
        });
    }
    let on_expire = on_expire.unwrap_or(session.settings.timer_on_expire);
    let timer = Timer::running(now, u64::from(seconds) * 1_000, on_expire, Some(seat.id));
    Ok(Decision::fact(Fact::TimerChanged { timer }))
}

/// Back to nothing; stopping twice is the same as once.
pub(super) fn stop(session: &Session, by: Actor, now: Millis) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Timer, now)?;
    Ok(match session.timer.phase {
        TimerPhase::Idle => Decision::nothing(Reply::Done),
        _ => Decision::fact(Fact::TimerChanged { timer: Timer::idle() }),
    })
}

/// A running timer keeps what is left of it.
pub(super) fn pause(session: &Session, by: Actor, now: Millis) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Timer, now)?;
    let phase = match session.timer.phase {
        TimerPhase::Running { ends_at } if now < ends_at => {
            TimerPhase::Paused { remaining_ms: ends_at.since(now) }
        }
        _ => return Err(Refusal::TimerNotRunning),
    };
    Ok(Decision::fact(Fact::TimerChanged { timer: Timer { phase, ..session.timer.clone() } }))
}

/// A paused timer goes on with what was left.
pub(super) fn resume(session: &Session, by: Actor, now: Millis) -> Result<Decision, Refusal> {
    guard::permitted(session, by, Required::Timer, now)?;
    let TimerPhase::Paused { remaining_ms } = session.timer.phase else {
        return Err(Refusal::TimerNotPaused);
    };
    let phase = TimerPhase::Running { ends_at: now.add_ms(remaining_ms) };
    Ok(Decision::fact(Fact::TimerChanged { timer: Timer { phase, ..session.timer.clone() } }))
}

/// More or less time, an hour in all at the most; an expired timer starts
/// again with what is added.
pub(super) fn extend(
    session: &Session,
    by: Actor,
    seconds: i32,
    now: Millis,
) -> Result<Decision, Refusal> {
    let seat = guard::permitted(session, by, Required::Timer, now)?;
    let timer = &session.timer;
    let added_ms = i64::from(seconds) * 1_000;
    let left_ms = i64::try_from(timer.remaining_ms(now)).unwrap_or(i64::MAX);
    let remaining_ms = u64::try_from(left_ms.saturating_add(added_ms)).unwrap_or(0);
    let duration_ms = match timer.phase {
        TimerPhase::Expired { .. } => remaining_ms,
        _ => timer.duration_ms.saturating_add_signed(added_ms),
    };
    if TIMER_MS_MAX < duration_ms {
        return Err(Refusal::BadValue {
            field: "seconds",
            expected: "small enough to keep the timer within 3600 seconds",
        });
    }
    let next = match timer.phase {
        TimerPhase::Idle => return Err(Refusal::TimerNotRunning),
        TimerPhase::Running { .. } => Timer {
            phase: TimerPhase::Running { ends_at: now.add_ms(remaining_ms) },
            duration_ms,
            ..timer.clone()
        },
        TimerPhase::Paused { .. } => {
            Timer { phase: TimerPhase::Paused { remaining_ms }, duration_ms, ..timer.clone() }
        }
        TimerPhase::Expired { .. } if remaining_ms == 0 => return Err(Refusal::TimerNotRunning),
        TimerPhase::Expired { .. } => {
            Timer::running(now, duration_ms, timer.on_expire, Some(seat.id))
        }
    };
    Ok(if next == *timer {
        Decision::nothing(Reply::Done)
    } else {
        Decision::fact(Fact::TimerChanged { timer: next })
    })
}

impl Session {
    fn timer_seconds(&self) -> u16 {
        match self.settings.timer_seconds {
            0 => SECONDS_UNLESS_SET,
            seconds => seconds,
        }
    }

    /// The timer that a new round begins with.
    pub(super) fn timer_of_new_round(&self, now: Millis) -> Timer {
        if self.settings.timer_auto_start {
            let duration_ms = u64::from(self.timer_seconds()) * 1_000;
            Timer::running(now, duration_ms, self.settings.timer_on_expire, None)
        } else {
            Timer::idle()
        }
    }
}
