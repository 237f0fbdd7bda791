//! CloudWatch's Embedded Metric Format: one JSON object a line, nothing before
//! or after it.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use cardroom::poker::ids::Millis;
use serde_json::{Map, Value, json};

use crate::fleet::Fleet;

/// Whose figures they are.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) namespace: String,
    /// The one dimension: a dimension per instance would be paid for by each.
    pub(crate) service: String,
}

/// The figures. What no instance has said is left out, never 0: missing data
/// moves nothing.
pub(crate) fn figures(identity: &Identity, fleet: &Fleet, now: Millis) -> String {
    let mut metrics = vec![
        ("Nodes", json!(fleet.instances.len())),
        ("StaleNodes", json!(fleet.silent)),
        ("ExportFailures", json!(0)),
    ];
    if let Some(per_task) = fleet.connections_per_task() {
        // A session that two instances serve is one room of each.
        let rooms = fleet.sum(|instance| instance.figures.sessions);
        let connections = fleet.sum(|instance| instance.figures.connections);
        metrics.push(("Connections", json!(connections)));
        metrics.push(("ConnectionsPerTask", json!(per_task)));
        metrics.push(("Rooms", json!(rooms)));
    }
    // Properties: to be searched in the log, no metrics to be paid for.
    let properties = [
        ("DrainingNodes", json!(fleet.draining())),
        ("Sockets", json!(fleet.sum(|instance| instance.figures.sockets))),
        ("SeatsOnline", json!(fleet.sum(|instance| instance.figures.seats_online))),
    ];
    line(identity, &metrics, &properties, now)
}

/// The figures could not be had.
pub(crate) fn failure(identity: &Identity, now: Millis) -> String {
    line(identity, &[("ExportFailures", json!(1))], &[], now)
}

fn line(
    identity: &Identity,
    metrics: &[(&str, Value)],
    properties: &[(&str, Value)],
    now: Millis,
) -> String {
    let definitions: Vec<Value> = metrics
        .iter()
        .map(|(name, _)| json!({ "Name": name, "Unit": "Count", "StorageResolution": 60 }))
        .collect();
    let directive = json!({
        "Namespace": identity.namespace,
        "Dimensions": [["Service"]],
        "Metrics": definitions,
    });
    let mut root = Map::new();
    root.insert("_aws".to_owned(), json!({ "Timestamp": now.0, "CloudWatchMetrics": [directive] }));
    root.insert("Service".to_owned(), json!(identity.service));
    for (name, value) in metrics.iter().chain(properties) {
        root.insert((*name).to_owned(), value.clone());
    }
    Value::Object(root).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::fleet;

    fn identity() -> Identity {
        Identity { namespace: "cardroom".to_owned(), service: "po\"ker\n".to_owned() }
    }

    fn read(line: &str) -> Value {
        assert!(!line.contains('\n'));
        serde_json::from_str(line).expect("JSON")
    }

    #[test]
    fn figures_stand_at_the_root() {
        let line = read(&figures(&identity(), &fleet(&[10, 20, 5], 1), Millis(1_700)));
        assert_eq!(line["_aws"]["Timestamp"], 1_700);
        assert_eq!(line["Service"], "po\"ker\n");
        let values = ["Connections", "Nodes", "Rooms", "StaleNodes", "ExportFailures"];
        assert_eq!(values.map(|name| line[name].as_u64().expect(name)), [35, 3, 6, 0, 0]);
        assert_eq!(line["ConnectionsPerTask"], 17.5);
    }

    #[test]
    fn nobody_is_not_zero_connections() {
        let line = read(&figures(&identity(), &fleet(&[], 0), Millis(1)));
        assert_eq!(line["Nodes"], 0);
        assert!(line.get("Connections").is_none() && line.get("ConnectionsPerTask").is_none());
        let line = read(&failure(&identity(), Millis(1)));
        assert_eq!(line["ExportFailures"], 1);
        assert!(line.get("Connections").is_none() && line.get("Nodes").is_none());
    }
}
