//! What is connected here.

use std::time::Duration;

use crate::metrics::counter::{Counter, CounterFamily, Gauge};
use crate::metrics::histogram::Histogram;
use crate::metrics::page::Page;
use crate::protocol::CloseReason;
use crate::protocol::engineio::TransportName;

#[derive(Debug)]
pub struct Wire {
    polling: Gauge,
    websocket: Gauge,
    opened: CounterFamily,
    closed: CounterFamily,
    upgraded: Counter,
    slow: Histogram,
    turned_away: CounterFamily,
    /// Open TCP connections, whatever they carry.
    pub tcp_connections: Gauge,
    tcp_turned_away: CounterFamily,
    /// Places in a namespace.
    pub sockets: Gauge,
    relayed_requests: CounterFamily,
    relayed_websockets: CounterFamily,
    http: CounterFamily,
}

/// What became of a request for a connection that another instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relayed {
    Answered,
    /// Its owner is not there: the client opens a new connection.
    Lost,
    /// Too many at one time.
    Busy,
}

/// Why a handshake was answered 503.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// This instance is on its way out.
    Draining,
    /// As many connections as this instance takes.
    Full,
    /// The process uses as much memory as it may.
    Memory,
    /// Too many handshakes in too short a time.
    Rate,
    /// As many connections as one address may have.
    AddressFull,
    /// Too many handshakes of one address in too short a time.
    AddressRate,
}

/// Why a TCP connection was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpTurnedAway {
    Full,
    AddressFull,
    /// No PROXY protocol, or not from a trusted network.
    Unproxied,
}

impl TurnedAway {
    const NAMES: [&str; 6] = ["draining", "full", "memory", "rate", "address full", "address rate"];

    pub const fn as_str(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

const TCP_TURNED_AWAY: [&str; 3] = ["full", "address full", "unproxied"];
const RELAYED: [&str; 3] = ["answered", "lost", "busy"];
const TRANSPORTS: [TransportName; 2] = [TransportName::Polling, TransportName::WebSocket];
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

impl Default for Wire {
    fn default() -> Self {
        let relayed = || CounterFamily::new("outcome", RELAYED);
        Self {
            polling: Gauge::default(),
            websocket: Gauge::default(),
            opened: CounterFamily::new("transport", TRANSPORTS.map(TransportName::as_str)),
            closed: CounterFamily::new("reason", CloseReason::ALL.iter().map(|r| r.as_str())),
            upgraded: Counter::default(),
            slow: Histogram::of_times(),
            turned_away: CounterFamily::new("reason", TurnedAway::NAMES),
            tcp_connections: Gauge::default(),
            tcp_turned_away: CounterFamily::new("reason", TCP_TURNED_AWAY),
            sockets: Gauge::default(),
            relayed_requests: relayed(),
            relayed_websockets: relayed(),
            http: CounterFamily::new("status", STATUS_CLASSES),
        }
    }
}

impl Wire {
    pub fn connection_opened(&self, transport: TransportName) {
        self.opened.increment(transport as usize);
        self.gauge(transport).add(1);
    }

    pub fn connection_upgraded(&self) {
        self.upgraded.increment();
        self.polling.add(-1);
        self.websocket.add(1);
    }

    pub fn connection_closed(&self, reason: CloseReason) {
        self.closed.increment(reason as usize);
    }

    /// The last thing that is heard of a connection.
    pub fn connection_forgotten(&self, transport: TransportName) {
        self.gauge(transport).add(-1);
    }

    /// A handshake was answered 503.
    pub fn turned_away(&self, reason: TurnedAway) {
        self.turned_away.increment(reason as usize);
    }

    pub fn tcp_turned_away(&self, reason: TcpTurnedAway) {
        self.tcp_turned_away.increment(reason as usize);
    }

    pub fn relayed(&self, is_websocket: bool, outcome: Relayed) {
        let family = if is_websocket { &self.relayed_websockets } else { &self.relayed_requests };
        family.increment(outcome as usize);
    }

    /// A request to the API or the page was answered with this status.
    pub fn http_answered(&self, status: u16) {
        self.http.increment(usize::from(status / 100).saturating_sub(1));
    }

    /// A connection was closed that had taken nothing for so long.
    pub fn slow_consumer_closed(&self, after: Duration) {
        self.slow.observe_time(after);
    }

    pub fn connections(&self) -> u64 {
        self.polling.value() + self.websocket.value()
    }

    pub fn slow_consumers(&self) -> u64 {
        self.closed.value(CloseReason::SlowConsumer as usize)
    }

    fn gauge(&self, transport: TransportName) -> &Gauge {
        match transport {
            TransportName::Polling => &self.polling,
            TransportName::WebSocket => &self.websocket,
        }
    }

    pub(super) fn write(&self, page: &mut Page) {
        page.gauge("cardroom_connections", "Open Engine.IO connections.");
        for transport in TRANSPORTS {
            page.sample(&[("transport", transport.as_str())], self.gauge(transport).value());
        }
        page.counter("cardroom_connections_opened", "By the transport they began with.");
        self.opened.write(page, &[]);
        page.counter("cardroom_connections_upgraded", "From polling to WebSocket.");
        page.sample(&[], self.upgraded.value());
        page.counter("cardroom_connections_closed", "By reason; `slow consumer` read too slowly.");
        self.closed.write(page, &[]);
        page.histogram(
            "cardroom_slow_consumer_seconds",
            "For how long a connection that was closed as a slow consumer had taken nothing.",
        );
        self.slow.write(page, &[]);
        page.counter("cardroom_handshakes_turned_away", "Answered 503, by reason.");
        self.turned_away.write(page, &[]);
        page.gauge("cardroom_tcp_connections", "Open TCP connections of the main port.");
        page.sample(&[], self.tcp_connections.value());
        page.counter("cardroom_tcp_connections_turned_away", "Not served, by reason.");
        self.tcp_turned_away.write(page, &[]);
        page.gauge("cardroom_sockets", "Sockets: places in a namespace.");
        page.sample(&[], self.sockets.value());
        page.counter(
            "cardroom_relayed",
            "Requests for connections of other instances; for websockets, their opening.",
        );
        self.relayed_requests.write(page, &[("transport", TransportName::Polling.as_str())]);
        self.relayed_websockets.write(page, &[("transport", TransportName::WebSocket.as_str())]);
        page.counter("cardroom_http_requests", "Everything but Engine.IO, by class of status.");
        self.http.write(page, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_stand_in_the_order_of_their_numbers() {
        for (index, reason) in CloseReason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index, "{reason}");
        }
    }

    #[test]
    fn an_upgrade_moves_a_connection() {
        let wire = Wire::default();
        wire.connection_opened(TransportName::Polling);
        wire.connection_upgraded();
        assert_eq!((wire.polling.value(), wire.websocket.value()), (0, 1));
        wire.connection_forgotten(TransportName::WebSocket);
        assert_eq!(wire.connections(), 0);
    }
}
