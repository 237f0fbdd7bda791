//! Why a socket did not come back, in words and in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::api::failure::Failure;
use crate::poker::refusal::Refusal;
use crate::store::StoreError;

macro_rules! recovery_failures {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// Why a socket could not be given back; the client joins again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RecoveryFailure {
            $($(#[$doc])* $name,)*
        }

        impl RecoveryFailure {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// For logs, and as a metric label.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }
        }
    };
}

recovery_failures! {
    /// No such private id: made up, run out, or given up on purpose.
    UnknownId = "unknown id",
    /// Too many unknown ones from that network.
    TooManyAttempts = "too many attempts",
    /// What the client has received last was not sent by us.
    BadOffset = "bad offset",
    /// The socket sat somewhere, but its record does not say where.
    PlaceUnknown = "place unknown",
    /// The seat was removed, forgotten, or is somebody else's by now.
    SeatGone = "seat gone",
    SessionOver = "session over",
    /// What the client has received is not in the log: it is trimmed up to
    /// there, or belongs to a history that was lost.
    OtherHistory = "other history",
    /// More was missed than is replayed.
    TooFarBehind = "too far behind",
    StoreAway = "store away",
    /// The client went away again meanwhile.
    ConnectionGone = "connection gone",
    /// Too much to do; or a defect of ours.
    Internal = "internal",
}

impl RecoveryFailure {
    pub(super) const fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Gone => Self::SessionOver,
            StoreError::Unavailable(_) => Self::StoreAway,
            StoreError::Full | StoreError::Exists | StoreError::Broken(_) => Self::Internal,
        }
    }

    pub(super) const fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::SessionNotFound | Refusal::SessionExpired | Refusal::SessionEnded => {
                Self::SessionOver
            }
            _ => Self::SeatGone,
        }
    }

    pub(super) const fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Refused(refusal) => Self::of_refusal(refusal),
            Failure::StateUnavailable { .. } => Self::StoreAway,
            _ => Self::Internal,
        }
    }
}

/// How recoveries went, since the start of this instance.
#[derive(Debug, Default)]
pub struct RecoveryCounts {
    recovered: AtomicU64,
    failed: [AtomicU64; RecoveryFailure::ALL.len()],
}

impl RecoveryCounts {
    pub fn recovered(&self) -> u64 {
        self.recovered.load(Ordering::Relaxed)
    }

    /// Each reason with its number.
    pub fn failed(&self) -> impl Iterator<Item = (RecoveryFailure, u64)> {
        let numbers = self.failed.iter().map(|number| number.load(Ordering::Relaxed));
        RecoveryFailure::ALL.iter().copied().zip(numbers)
    }

    pub(super) fn count(&self, outcome: &Result<(), RecoveryFailure>) {
        let number = match outcome {
            Ok(()) => Some(&self.recovered),
            Err(failure) => self.failed.get(*failure as usize),
        };
        if let Some(number) = number {
            number.fetch_add(1, Ordering::Relaxed);
        }
    }
}
