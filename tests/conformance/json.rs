//! JSON arrays of arguments, taken apart and put together as text.

/// `["name",…]` of a name and the JSON array of its arguments.
pub(crate) fn named(name: &str, arguments: &[u8]) -> Vec<u8> {
    let inner = arguments.trim_ascii();
    let inner = inner.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]"));
    let inner = inner.unwrap_or_default().trim_ascii();
    let mut array = format!("[{}", serde_json::json!(name)).into_bytes();
    if !inner.is_empty() {
        array.push(b',');
        array.extend_from_slice(inner);
    }
    array.push(b']');
    array
}

/// The place of the only attachment.
pub(crate) const PLACEHOLDER: &str = r#"{"_placeholder":true,"num":0}"#;
