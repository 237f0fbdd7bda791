//! Who calls when no HTTP request does.

use serde::Deserialize;

/// An event of EventBridge and what of it matters here; an invocation by hand
/// may have none of it.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default)]
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    /// Text in a schedule's event, an object in others.
    #[serde(default)]
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Detail {
    Task(Task),
    Other(serde::de::IgnoredAny),
}

impl Default for Detail {
    fn default() -> Self {
        Self::Other(serde::de::IgnoredAny)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    task_arn: String,
    last_status: String,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Export,
    /// The task is taken out of the load balancer.
    Drain {
        task: String,
        event: String,
    },
    /// A task that does something else.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEvent {
    #[error("the event has more than {EVENT_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the event cannot be read")]
    Unreadable,
    #[error("nobody here knows events of this type")]
    UnknownType,
}

/// An event of EventBridge has 256 KiB at the most; of a task some 4 KiB.
pub(crate) const EVENT_BYTES_MAX: usize = 64 * 1_024;
const TASK_BYTES_MAX: usize = 2_048;

pub(crate) fn read(text: &str) -> Result<Wish, BadEvent> {
    if EVENT_BYTES_MAX < text.len() {
        return Err(BadEvent::TooLarge);
    }
    let event: Event = serde_json::from_str(text).map_err(|_| BadEvent::Unreadable)?;
    match (event.detail_type.as_deref(), event.detail) {
        (None | Some("Scheduled Event"), _) => Ok(Wish::Export),
        (Some("ECS Task State Change"), Detail::Task(task)) => {
            if task.task_arn.is_empty() || TASK_BYTES_MAX < task.task_arn.len() {
                return Err(BadEvent::Unreadable);
            }
            Ok(match task.last_status.as_str() {
                "DEACTIVATING" => Wish::Drain { task: task.task_arn, event: event.id },
                _ => Wish::Nothing,
            })
        }
        (Some("ECS Task State Change"), Detail::Other(_)) => Err(BadEvent::Unreadable),
        (Some(_), _) => Err(BadEvent::UnknownType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_and_a_schedule_mean_export() {
        assert_eq!(read("{}"), Ok(Wish::Export));
        let scheduled = include_str!("../../events/scheduler.json");
        assert_eq!(read(scheduled), Ok(Wish::Export));
    }

    #[test]
    fn a_task_that_leaves_is_told() {
        let leaving = include_str!("../../events/ecs-task-deactivating.json");
        let Ok(Wish::Drain { task, event }) = read(leaving) else { panic!("no wish") };
        assert!(task.starts_with("arn:aws:ecs:"), "{task}");
        assert_eq!(event, "3317b2af-7005-947d-b652-f55e762e571a");
        let running = leaving.replace("DEACTIVATING", "RUNNING");
        assert_eq!(read(&running), Ok(Wish::Nothing));
    }

    #[test]
    fn what_is_something_else_is_refused() {
        assert_eq!(read(r#"{"detail-type":"EC2 Spot"}"#), Err(BadEvent::UnknownType));
        let empty = r#"{"detail-type":"ECS Task State Change","detail":{}}"#;
        assert_eq!(read(empty), Err(BadEvent::Unreadable));
        for text in ["", "null", "5", "[", r#"{"detail-type":5}"#] {
            assert_eq!(read(text), Err(BadEvent::Unreadable), "{text}");
        }
        let huge = format!(r#"{{"x":"{}"}}"#, "y".repeat(EVENT_BYTES_MAX));
        assert_eq!(read(&huge), Err(BadEvent::TooLarge));
    }
}
