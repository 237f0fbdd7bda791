//! The figures for Prometheus, in its text format.
//!
//! What is as of now is summed up. What is counted since an instance began is
//! shown per instance: a sum would fall when one leaves, and Prometheus would
//! take that for a restart of all.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;

use cardroom::store::Figures;

use crate::fleet::Fleet;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(crate) fn page(fleet: &Fleet) -> String {
    let mut page = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        head(&mut page, name, "gauge", help);
        let _ = writeln!(page, "{name} {value}");
    };
    let instances = fleet.instances.len() as u64;
    gauge("cardroom_fleet_instances", "Instances whose lease runs.", instances);
    gauge("cardroom_fleet_instances_draining", "Of them, on their way out.", fleet.draining());
    gauge(
        "cardroom_fleet_instances_silent",
        "Instances that went without a goodbye lately.",
        fleet.silent,
    );
    for (name, help, figure) in GAUGES {
        gauge(name, help, fleet.sum(|instance| figure(&instance.figures)));
    }
    for (name, help, figure) in COUNTERS {
        head(&mut page, name, "counter", help);
        for instance in &fleet.instances {
            let value = figure(&instance.figures);
            let _ = writeln!(page, "{name}{{instance_id=\"{}\"}} {value}", instance.id);
        }
    }
    page
}

fn head(page: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

type Figure = (&'static str, &'static str, fn(&Figures) -> u64);

const GAUGES: [Figure; 5] = [
    ("cardroom_fleet_connections", "Engine.IO connections.", |figures| figures.connections),
    ("cardroom_fleet_sockets", "Places in a namespace on them.", |figures| figures.sockets),
    (
        "cardroom_fleet_sessions",
        "Sessions served; one that two instances serve counts twice.",
        |figures| figures.sessions,
    ),
    (
        "cardroom_fleet_seats_online",
        "Seats that have a socket, per instance summed up.",
        |figures| figures.seats_online,
    ),
    ("cardroom_fleet_rss_bytes", "Resident memory.", |figures| figures.rss_bytes),
];

const COUNTERS: [Figure; 7] = [
    ("cardroom_fleet_events_total", "Events of clients that were answered.", |figures| {
        figures.events_total
    }),
    ("cardroom_fleet_messages_total", "Messages handed to members of rooms.", |figures| {
        figures.messages_total
    }),
    ("cardroom_fleet_commits_total", "Accepted commits.", |figures| figures.commits_total),
    ("cardroom_fleet_conflicts_total", "Commits that somebody else's came before.", |figures| {
        figures.conflicts
    }),
    ("cardroom_fleet_slow_consumers_total", "Connections closed as too slow.", |figures| {
        figures.slow_consumers
    }),
    ("cardroom_fleet_rate_limited_total", "Events refused as too many.", |figures| {
        figures.rate_limited
    }),
    ("cardroom_fleet_cpu_ms_total", "Processor time in milliseconds.", |figures| figures.cpu_ms),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::fleet;

    #[test]
    fn gauges_are_summed_up_and_counters_are_not() {
        let page = page(&fleet(&[10, 20], 1));
        assert!(page.contains("\ncardroom_fleet_connections 30\n"), "{page}");
        assert!(page.contains("\ncardroom_fleet_instances_draining 1\n"), "{page}");
        let events = page.lines().filter(|line| line.starts_with("cardroom_fleet_events_total{"));
        assert_eq!(events.count(), 2);
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (_, value) = line.rsplit_once(' ').expect("a sample");
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
