//! Who may open a connection: asked before anything that costs.
//!
//! Only handshakes are asked. Who has a connection is never refused here,
//! whatever request of it comes.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::connections::random;
use crate::connection::crowd::{Crowd, Member};
use crate::connection::rate::{Due, Rate};
use crate::limits::Network;
use crate::metrics::TurnedAway;

/// How many, from where and how fast. An address is an IPv4 address, or the
/// /64 of an IPv6 address.
#[derive(Debug, Clone)]
pub struct AdmissionLimits {
    /// Open connections of one address.
    pub per_address_max: u32,
    /// Handshakes a second; those of ten seconds may come at once.
    pub per_second_max: u32,
    /// Of one address.
    pub per_address_per_second_max: u32,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        Self { per_address_max: 1_000, per_second_max: 1_000, per_address_per_second_max: 100 }
    }
}

/// A handshake that is answered 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    pub reason: TurnedAway,
    /// With a share that is drawn, so that those who are turned away together
    /// do not return together.
    pub retry_after_s: u32,
}

/// A place among the connections of an address; given back when the last
/// clone is dropped.
#[derive(Debug, Clone)]
pub struct Place {
    _member: Arc<Member>,
}

pub(super) struct Admission {
    per_address_max: u32,
    rate: Rate,
    rate_of_address: Rate,
    open: Crowd,
    dues: Mutex<Dues>,
    is_memory_short: AtomicBool,
}

/// Addresses are forgotten once it is as if they had never come: what is here
/// came in the last ten seconds, or is about to be swept.
#[derive(Default)]
struct Dues {
    all: Option<Due>,
    by_address: HashMap<Network, Due>,
    sweep_from: usize,
}

impl Admission {
    pub(super) fn new(limits: &AdmissionLimits) -> Self {
        Self {
            per_address_max: limits.per_address_max,
            rate: Rate::per_second(limits.per_second_max),
            rate_of_address: Rate::per_second(limits.per_address_per_second_max),
            open: Crowd::default(),
            dues: Mutex::default(),
            is_memory_short: AtomicBool::new(false),
        }
    }

    pub(super) fn set_memory_short(&self, is_short: bool) {
        self.is_memory_short.store(is_short, Ordering::Relaxed);
    }

    /// The address is asked about before the instance, so that who is over its
    /// own limit uses up nothing that others need.
    pub(super) fn admit(&self, address: IpAddr, now: Instant) -> Result<Place, Refused> {
        let network = Network::from(address);
        if self.is_memory_short.load(Ordering::Relaxed) {
            return Err(Refused::new(TurnedAway::Memory));
        }
        let (member, others) = self.open.enter(network);
        if self.per_address_max <= others {
            return Err(Refused::new(TurnedAway::AddressFull));
        }
        self.advance(network, now)?;
        Ok(Place { _member: Arc::new(member) })
    }

    fn advance(&self, network: Network, now: Instant) -> Result<(), Refused> {
        let mut dues = self.dues.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = dues.by_address.get(&network).copied();
        let of_address = self
            .rate_of_address
            .advance(of_address, now)
            .map_err(|early| Refused::early(TurnedAway::AddressRate, early))?;
        let all = self
            .rate
            .advance(dues.all, now)
            .map_err(|early| Refused::early(TurnedAway::Rate, early))?;
        dues.all = Some(all);
        dues.sweep(now);
        dues.by_address.insert(network, of_address);
        Ok(())
    }
}

impl Dues {
    const SWEEP_FROM_MIN: usize = 1_024;

    /// Now and then: one look at each for each that came.
    fn sweep(&mut self, now: Instant) {
        if self.by_address.len() < self.sweep_from.max(Self::SWEEP_FROM_MIN) {
            return;
        }
        self.by_address.retain(|_, due| !due.is_past(now));
        self.sweep_from = self.by_address.len() * 2;
    }
}

impl Refused {
    pub fn new(reason: TurnedAway) -> Self {
        let wait_s = match reason {
            // There are other instances.
            TurnedAway::Draining => 1,
            TurnedAway::Memory => 10,
            TurnedAway::Full | TurnedAway::AddressFull => 5,
            TurnedAway::Rate | TurnedAway::AddressRate => 1,
        };
        Self { reason, retry_after_s: spread(wait_s) }
    }

    fn early(reason: TurnedAway, early: Duration) -> Self {
        let wait_s = u32::try_from(early.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        Self { reason, retry_after_s: spread(wait_s) }
    }
}

/// From once to twice as long.
fn spread(wait_s: u32) -> u32 {
    let wait_s = wait_s.clamp(1, 3_600);
    wait_s + u32::from_le_bytes(random()) % (wait_s + 1)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    fn address(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    fn reason(result: Result<Place, Refused>) -> Option<TurnedAway> {
        result.err().map(|refused| refused.reason)
    }

    const LIMITS: AdmissionLimits = AdmissionLimits {
        per_address_max: 2,
        per_second_max: 1_000,
        per_address_per_second_max: 1_000,
    };

    #[test]
    fn one_address_is_full_and_another_is_not() {
        let admission = Admission::new(&LIMITS);
        let now = Instant::now();
        let first = admission.admit(address(1), now).expect("a place");
        let _second = admission.admit(address(1), now).expect("a place");
        assert_eq!(reason(admission.admit(address(1), now)), Some(TurnedAway::AddressFull));
        assert!(admission.admit(address(2), now).is_ok());
        let clone = first.clone();
        drop(first);
        assert!(admission.admit(address(1), now).is_err());
        drop(clone);
        assert!(admission.admit(address(1), now).is_ok());
    }

    #[test]
    fn a_v6_network_is_one_address() {
        let admission = Admission::new(&AdmissionLimits { per_address_max: 1, ..LIMITS });
        let now = Instant::now();
        let of = |last| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        let _place = admission.admit(of(1), now).expect("a place");
        assert_eq!(reason(admission.admit(of(2), now)), Some(TurnedAway::AddressFull));
    }

    #[test]
    fn who_comes_too_fast_uses_up_nothing_of_the_others() {
        let limits = AdmissionLimits {
            per_address_max: u32::MAX,
            per_second_max: 2,
            per_address_per_second_max: 1,
        };
        let admission = Admission::new(&limits);
        let now = Instant::now();
        let admitted = |last, times| {
            (0..times).filter(|_| admission.admit(address(last), now).is_ok()).count()
        };
        assert_eq!(admitted(1, 1_000), 10);
        assert_eq!(reason(admission.admit(address(1), now)), Some(TurnedAway::AddressRate));
        assert_eq!(admitted(2, 1_000), 10);
        assert_eq!(reason(admission.admit(address(3), now)), Some(TurnedAway::Rate));
        let later = now + Duration::from_secs(1);
        assert!(admission.admit(address(3), later).is_ok());
    }

    #[test]
    fn addresses_that_have_gone_are_forgotten() {
        let limits = AdmissionLimits { per_second_max: 1_000_000, ..LIMITS };
        let admission = Admission::new(&limits);
        let start = Instant::now();
        for number in 0..100_000_u32 {
            let address = Ipv4Addr::from_bits(number).into();
            let now = start + Duration::from_millis(number.into());
            assert!(admission.admit(address, now).is_ok());
        }
        let dues = admission.dues.lock().expect("not poisoned");
        assert!(dues.by_address.len() <= Dues::SWEEP_FROM_MIN);
    }

    #[test]
    fn memory_comes_first_and_passes() {
        let admission = Admission::new(&LIMITS);
        let now = Instant::now();
        admission.set_memory_short(true);
        assert_eq!(reason(admission.admit(address(1), now)), Some(TurnedAway::Memory));
        admission.set_memory_short(false);
        assert!(admission.admit(address(1), now).is_ok());
    }

    #[test]
    fn those_who_are_refused_together_do_not_return_together() {
        let waits: Vec<u32> =
            (0..200).map(|_| Refused::new(TurnedAway::Full).retry_after_s).collect();
        assert!(waits.iter().all(|wait| (5..=10).contains(wait)), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }
}
