//! Packets whose binary attachments are still on their way.

use bytes::Bytes;
use serde_json::Value;

use crate::protocol::socketio::packet::Kind;

/// A packet that waits for its attachments. Text is copied here, because its
/// frame is gone when the last attachment comes.
#[derive(Debug)]
pub(super) struct Awaiting<S> {
    pub(super) socket: S,
    pub(super) kind: Kind,
    pub(super) array: Vec<u8>,
    pub(super) attachments: Vec<Bytes>,
    pub(super) expected: usize,
}

impl<S> Awaiting<S> {
    pub(super) fn is_complete(&self) -> bool {
        self.expected <= self.attachments.len()
    }
}

/// Whether every `{"_placeholder":true,"num":i}` in a JSON text names one of
/// `attachments` attachments.
pub(super) fn are_placeholders_in_range(json: &[u8], attachments: usize) -> bool {
    // The depth has been checked, so recursion is bounded.
    fn is_right(value: &Value, attachments: usize) -> bool {
        match value {
            Value::Array(values) => values.iter().all(|value| is_right(value, attachments)),
            Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
                let num = object.get("num").and_then(Value::as_u64);
                num.is_some_and(|num| num < attachments as u64)
            }
            Value::Object(object) => object.values().all(|value| is_right(value, attachments)),
            _ => true,
        }
    }
    serde_json::from_slice(json).is_ok_and(|value: Value| is_right(&value, attachments))
}
