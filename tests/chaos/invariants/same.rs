//! Whether two JSON values say the same, and where they do not.

use serde_json::Value;

/// The first place at which they differ; `None` if they are the same. Numbers
/// are compared by value: 1 and 1.0 are the same after a pass through
/// JavaScript.
pub(crate) fn difference(should: &Value, is: &Value) -> Option<String> {
    differ("", should, is)
}

fn differ(path: &str, should: &Value, is: &Value) -> Option<String> {
    match (should, is) {
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => None,
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.into_iter().find_map(|(index, (a, b))| differ(&format!("{path}[{index}]"), a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let missing = a.keys().find(|key| !b.contains_key(*key));
            let extra = b.keys().find(|key| !a.contains_key(*key));
            match (missing, extra) {
                (Some(key), _) => Some(format!("{path}.{key} is missing")),
                (None, Some(key)) => Some(format!("{path}.{key} is too much")),
                (None, None) => a.iter().find_map(|(key, value)| {
                    differ(&format!("{path}.{key}"), value, b.get(key).unwrap_or(&Value::Null))
                }),
            }
        }
        _ if should == is => None,
        _ => Some(format!("{path} is {is} and should be {should}")),
    }
}
