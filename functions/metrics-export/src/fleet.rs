//! All instances together.

use cardroom::store::InstanceRecord;

/// What is known of the instances at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fleet {
    /// Those whose lease runs.
    pub(crate) instances: Vec<InstanceRecord>,
    /// Those whose lease ended a short while ago without a goodbye.
    pub(crate) silent: u64,
}

/// For so long after its lease an instance counts as silent.
pub(crate) const SILENT_MS: u64 = 10 * 60_000;

impl Fleet {
    pub(crate) fn sum(&self, figure: impl Fn(&InstanceRecord) -> u64) -> u64 {
        self.instances.iter().map(figure).fold(0, u64::saturating_add)
    }

    pub(crate) fn draining(&self) -> u64 {
        self.sum(|instance| u64::from(instance.figures.draining))
    }

    /// By those that take connections: what the others hold is on its way to
    /// them. `None` without any instance: nobody has said a number.
    pub(crate) fn connections_per_task(&self) -> Option<f64> {
        let all = self.instances.len() as u64;
        let staying = all - self.draining();
        let divisor = if staying == 0 { all } else { staying };
        let connections = self.sum(|instance| instance.figures.connections);
        (0 < all).then(|| connections as f64 / divisor as f64)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use cardroom::poker::ids::{InstanceId, Millis};
    use cardroom::store::Figures;

    use super::*;

    /// Instances with so many connections each; the last ones drain.
    pub(crate) fn fleet(connections: &[u64], draining: usize) -> Fleet {
        let staying = connections.len() - draining;
        let instance = |(number, connections): (usize, &u64)| InstanceRecord {
            id: InstanceId(number as u64 + 1),
            address: String::new(),
            task: None,
            started: Millis(0),
            figures: Figures {
                connections: *connections,
                sessions: 2,
                draining: staying <= number,
                ..Figures::default()
            },
        };
        Fleet { instances: connections.iter().enumerate().map(instance).collect(), silent: 0 }
    }

    #[test]
    fn what_drains_is_carried_by_the_others() {
        assert_eq!(fleet(&[10, 20], 0).connections_per_task(), Some(15.0));
        assert_eq!(fleet(&[10, 20], 1).connections_per_task(), Some(30.0));
        assert_eq!(fleet(&[10, 20], 2).connections_per_task(), Some(15.0));
        assert_eq!(fleet(&[], 0).connections_per_task(), None);
    }
}
