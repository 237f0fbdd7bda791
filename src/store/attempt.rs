//! Attempts that a store counts, so that a reconnect, a second tab or another
//! instance resets nothing.

use std::net::IpAddr;

use crate::limits::{Exceeded, Limit, Network, Shortage};
use crate::poker::ids::PlayerId;

/// Somebody on a seat tries something once: to be counted in that seat's
/// budget for that event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    pub player: PlayerId,
    /// As it is called on the wire.
    pub event: &'static str,
    pub limit: Limit,
}

/// An attempt that found no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// Its place among the attempts of the call.
    pub attempt: usize,
    pub exceeded: Exceeded,
}

/// Whose budget is asked where there is no seat yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// All behind one address, or one /64.
    Network(Network),
    /// Everybody together.
    Everybody,
}

impl From<IpAddr> for Party {
    fn from(address: IpAddr) -> Self {
        Self::Network(address.into())
    }
}

/// A budget of a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// What it is for; a word of our own.
    pub what: &'static str,
    pub limit: Limit,
    pub charge: Charge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// One attempt is counted.
    Count,
    /// Whether one more would fit; nothing is counted.
    Look,
}

/// The first of several budgets that has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOf {
    /// Its place among the budgets of the call.
    pub budget: usize,
    pub exceeded: Exceeded,
}

/// The attempts of one call by their budgets.
#[derive(Debug)]
pub(super) struct Charges {
    pub(super) budgets: Vec<Wanted>,
    /// Of each attempt, which budget is its own.
    budget_of: Vec<usize>,
}

/// How many attempts one budget is asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) attempt: Attempt,
    pub(super) attempts: u32,
}

impl Charges {
    pub(super) fn of(attempts: &[Attempt]) -> Self {
        let mut charges = Self { budgets: Vec::new(), budget_of: Vec::new() };
        for attempt in attempts {
            let known = charges.budgets.iter_mut().enumerate().find(|(_, wanted)| {
                wanted.attempt.player == attempt.player && wanted.attempt.event == attempt.event
            });
            let budget = match known {
                Some((index, wanted)) => {
                    wanted.attempts += 1;
                    index
                }
                None => {
                    charges.budgets.push(Wanted { attempt: *attempt, attempts: 1 });
                    charges.budgets.len() - 1
                }
            };
            charges.budget_of.push(budget);
        }
        charges
    }

    /// How many attempts each budget is asked for.
    #[cfg(feature = "redis")]
    pub(super) fn wanted(&self) -> Vec<u32> {
        self.budgets.iter().map(|wanted| wanted.attempts).collect()
    }

    /// Which attempts find no room, given what each budget says: of those that
    /// share one the earlier ones fit.
    pub(super) fn denied(&self, verdicts: &[Result<(), Shortage>]) -> Vec<Denied> {
        let mut left: Vec<u32> = verdicts
            .iter()
            .map(|verdict| verdict.map_or_else(|shortage| shortage.fit, |()| u32::MAX))
            .collect();
        let mut denied = Vec::new();
        for (attempt, budget) in self.budget_of.iter().enumerate() {
            let (Some(left), Some(verdict)) = (left.get_mut(*budget), verdicts.get(*budget)) else {
                continue;
            };
            match (*left, verdict) {
                (0, Err(Shortage { exceeded, .. })) => {
                    denied.push(Denied { attempt, exceeded: *exceeded });
                }
                _ => *left = left.saturating_sub(1),
            }
        }
        denied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_those_that_share_a_budget_the_later_ones_are_denied() {
        let attempt = |player: u8, event| Attempt {
            player: PlayerId::from_random([player; 16]),
            event,
            limit: Limit::per_minute(10),
        };
        let attempts =
            [attempt(1, "vote"), attempt(2, "vote"), attempt(1, "vote"), attempt(1, "wave")];
        let charges = Charges::of(&attempts);
        assert_eq!(charges.budgets.iter().map(|one| one.attempts).collect::<Vec<_>>(), [2, 1, 1]);
        let exceeded = Exceeded { retry_after_ms: 7 };
        let denied = charges.denied(&[Err(Shortage { fit: 1, exceeded }), Ok(()), Ok(())]);
        assert_eq!(denied, [Denied { attempt: 2, exceeded }]);
    }
}
