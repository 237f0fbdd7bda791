//! What is played here.

use std::time::Duration;

use crate::api::client_event::EventName;
use crate::metrics::counter::{Counter, CounterFamily, Gauge};
use crate::metrics::histogram::Histogram;
use crate::metrics::outcome::Outcome;
use crate::metrics::page::Page;

#[derive(Debug)]
pub struct Game {
    /// Sessions that this instance serves.
    pub sessions: Gauge,
    /// Seats that have a socket here.
    pub seats_online: Gauge,
    /// In the order of `EventName`.
    events: Box<[CounterFamily]>,
    /// Names that are not of the catalogue.
    pub unknown_events: Counter,
    acknowledgement: Histogram,
    newcomers: Counter,
    returning: Counter,
    fan_out: Histogram,
    fan_out_members: Histogram,
    /// From the decision on an event, wherever, until the members here are told.
    update_delay: Histogram,
}

impl Default for Game {
    fn default() -> Self {
        let outcomes =
            || CounterFamily::new("outcome", Outcome::ALL.iter().map(|outcome| outcome.as_str()));
        Self {
            sessions: Gauge::default(),
            seats_online: Gauge::default(),
            events: EventName::ALL.iter().map(|_| outcomes()).collect(),
            unknown_events: Counter::default(),
            acknowledgement: Histogram::of_times(),
            newcomers: Counter::default(),
            returning: Counter::default(),
            fan_out: Histogram::of_short_times(),
            fan_out_members: Histogram::of_sizes(),
            update_delay: Histogram::of_times(),
        }
    }
}

impl Game {
    /// An event has its answer, `after` it was read.
    pub fn answered(&self, event: EventName, outcome: Outcome, after: Duration) {
        if let Some(outcomes) = self.events.get(event as usize) {
            outcomes.increment(outcome as usize);
        }
        self.acknowledgement.observe_time(after);
    }

    pub fn newcomer_joined(&self) {
        self.newcomers.increment();
    }

    /// Somebody who has sat there before.
    pub fn returned(&self) {
        self.returning.increment();
    }

    /// A message has been handed to so many members of a room.
    pub fn told(&self, members: usize, took: Duration) {
        self.fan_out.observe_time(took);
        self.fan_out_members.observe(members as u64);
    }

    pub fn updated(&self, delay_ms: u64) {
        self.update_delay.observe_time(Duration::from_millis(delay_ms));
    }

    /// All events that were answered.
    pub fn events_total(&self) -> u64 {
        let counts = Outcome::ALL.iter().map(|outcome| self.events_of(*outcome));
        counts.sum::<u64>() + self.unknown_events.value()
    }

    pub fn events_of(&self, outcome: Outcome) -> u64 {
        self.events.iter().map(|outcomes| outcomes.value(outcome as usize)).sum()
    }

    /// Messages for members of rooms.
    pub fn messages_total(&self) -> u64 {
        self.fan_out_members.sum()
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.gauge("cardroom_sessions", "Sessions that this instance serves.");
        page.sample(&[], self.sessions.value());
        page.gauge("cardroom_seats_online", "Seats with a socket at this instance.");
        page.sample(&[], self.seats_online.value());

        page.counter("cardroom_events", "Events of clients, by what became of them.");
        for (event, outcomes) in EventName::ALL.iter().zip(&self.events) {
            outcomes.write(page, &[("event", event.as_str())]);
        }
        let unknown = [("event", "unknown"), ("outcome", Outcome::Bad.as_str())];
        page.sample(&unknown, self.unknown_events.value());
        page.histogram(
            "cardroom_acknowledgement_seconds",
            "From the reading of an event to its answer; a success is committed.",
        );
        self.acknowledgement.write(page, &[]);
        page.counter("cardroom_joins", "Seats taken, by newcomers or with a player token.");
        page.sample(&[("by", "newcomer")], self.newcomers.value());
        page.sample(&[("by", "returning")], self.returning.value());

        page.histogram("cardroom_fan_out_seconds", "To hand one message to all members of a room.");
        self.fan_out.write(page, &[]);
        page.histogram("cardroom_fan_out_members", "Members that were handed one message.");
        self.fan_out_members.write(page, &[]);
        page.histogram(
            "cardroom_update_delay_seconds",
            "From the decision on an event, at any instance, until the members here are told.",
        );
        self.update_delay.write(page, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_its_place() {
        let game = Game::default();
        for event in EventName::ALL {
            game.answered(*event, Outcome::Ok, Duration::from_millis(1));
        }
        assert!(game.events.iter().all(|outcomes| outcomes.value(Outcome::Ok as usize) == 1));
        assert_eq!(game.events_total(), EventName::ALL.len() as u64);
    }

    #[test]
    fn outcomes_stand_in_the_order_of_their_numbers() {
        for (index, outcome) in Outcome::ALL.iter().enumerate() {
            assert_eq!(*outcome as usize, index);
        }
    }
}
