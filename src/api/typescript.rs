//! TypeScript from the catalogue: the types of `web/client`, and the test
//! that they and the AsyncAPI document are those of this code.
//!
//! `BLESS=1 cargo test --lib api::typescript` writes the files anew.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The declarations that `document`, an AsyncAPI document, describes.
fn declarations(document: &Value) -> String {
    let mut out = String::from(HEAD);
    let schemas = object(&document["components"]["schemas"]);
    for (name, schema) in schemas {
        declare(&mut out, name, schema, schemas);
    }
    let messages = object(&document["components"]["messages"]);
    let operations = object(&document["operations"]);
    let of = |action| {
        let operations =
            operations.iter().filter(move |(_, operation)| operation["action"] == action);
        operations.map(|(key, operation)| (&messages[key], operation, key))
    };

    out.push_str("\n/** What a client sends with each event. */\nexport interface Requests {\n");
    for (message, operation, _) in of("receive") {
        comment(&mut out, 1, operation["summary"].as_str());
        let _ = writeln!(out, "  {}: {};", message["name"], reference(&message["payload"]));
    }
    out.push_str("}\n\n/** What a successful acknowledgement of each event adds. */\nexport interface Answers {\n");
    for (message, _, key) in of("receive") {
        let body = &messages[&format!("{key}.accepted")]["payload"]["allOf"][1];
        let _ = writeln!(out, "  {}: {};", message["name"], reference(body));
    }
    out.push_str("}\n\n/** What the server tells. */\nexport interface Events {\n");
    for (message, operation, _) in of("send") {
        comment(&mut out, 1, operation["summary"].as_str());
        let _ = writeln!(out, "  {}: {};", message["name"], reference(&message["payload"]));
    }
    out.push_str("}\n");
    out.push_str(TAIL);
    out
}

const HEAD: &str = "\
// Generated from the Rust types of the server (src/api). Do not edit:
// BLESS=1 cargo test --lib api::typescript
";

const TAIL: &str = "
/** An acknowledgement of success; `seq` is the session's after the event. */
export type Accepted<Body> = { ok: true; seq?: number } & Body;

/** What an event is acknowledged with. */
export type Answer<Event extends keyof Requests> = Accepted<Answers[Event]> | Refused;

/** For `Socket<ServerToClientEvents, ClientToServerEvents>` of `socket.io-client`. */
export type ClientToServerEvents = {
  [Event in keyof Requests]: (
    payload: Requests[Event],
    acknowledge?: (answer: Answer<Event>) => void,
  ) => void;
};

/** For `Socket<ServerToClientEvents, ClientToServerEvents>` of `socket.io-client`. */
export type ServerToClientEvents = {
  [Event in keyof Events]: (payload: Events[Event]) => void;
};
";

fn declare(out: &mut String, name: &str, schema: &Value, schemas: &Map<String, Value>) {
    out.push('\n');
    comment(out, 0, schema["description"].as_str());
    let mut fields = Vec::new();
    if collect_fields(schema, schemas, &mut fields) {
        if fields.is_empty() {
            let _ = writeln!(out, "export type {name} = Record<never, never>;");
            return;
        }
        let _ = writeln!(out, "export interface {name} {{");
        for field in fields {
            comment(out, 1, field.about);
            let optional = if field.is_required { "" } else { "?" };
            let _ = writeln!(out, "  {}{optional}: {};", field.name, type_of(field.schema));
        }
        out.push_str("}\n");
    } else {
        let _ = writeln!(out, "export type {name} = {};", type_of(schema));
    }
}

struct FieldOf<'a> {
    name: &'a str,
    schema: &'a Value,
    is_required: bool,
    about: Option<&'a str>,
}

/// The fields of an object, or of several that are one on the wire. False: it
/// is no object.
fn collect_fields<'a>(
    schema: &'a Value,
    schemas: &'a Map<String, Value>,
    fields: &mut Vec<FieldOf<'a>>,
) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        return collect_fields(&schemas[last(name)], schemas, fields);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().all(|part| collect_fields(part, schemas, fields));
    }
    if schema["type"] != "object" {
        return false;
    }
    let required = schema["required"].as_array();
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        // Beside a reference utoipa writes the description into the choice.
        let inner = schema["oneOf"].as_array().and_then(|choice| choice.first());
        let about = schema["description"].as_str();
        let about = about.or_else(|| inner.and_then(|inner| inner["description"].as_str()));
        fields.push(FieldOf {
            name,
            schema,
            is_required: required.is_some_and(|names| names.contains(&Value::from(name.as_str()))),
            about,
        });
    }
    true
}

/// A type expression.
fn type_of(schema: &Value) -> String {
    if schema["$ref"].is_string() {
        return reference(schema);
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    if let Some(choice) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
        let types: Vec<String> = choice.iter().map(type_of).collect();
        return types.join(" | ");
    }
    if let Some(kinds) = schema["type"].as_array() {
        let types: Vec<String> = kinds
            .iter()
            .map(|kind| {
                let mut one = schema.clone();
                one["type"] = kind.clone();
                type_of(&one)
            })
            .collect();
        return types.join(" | ");
    }
    match schema["type"].as_str() {
        Some("string") => "string".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("null") => "null".to_owned(),
        Some("integer" | "number") => number(schema),
        Some("array") => {
            let item = type_of(&schema["items"]);
            if item.contains(' ') { format!("({item})[]") } else { format!("{item}[]") }
        }
        _ => panic!("no TypeScript for {schema}"),
    }
}

/// A small range of whole numbers is written out.
fn number(schema: &Value) -> String {
    const WRITTEN_OUT_MAX: i64 = 8;
    match (schema["type"].as_str(), schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some("integer"), Some(least), Some(most)) if most - least < WRITTEN_OUT_MAX => {
            (least..=most).map(|number| number.to_string()).collect::<Vec<_>>().join(" | ")
        }
        _ => "number".to_owned(),
    }
}

fn comment(out: &mut String, depth: usize, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        let _ = writeln!(
            out,
            "{}/** {} */",
            "  ".repeat(depth),
            text.replace("*/", "* /").replace('\n', " ")
        );
    }
}

fn reference(schema: &Value) -> String {
    last(schema["$ref"].as_str().expect("a reference")).to_owned()
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::api::asyncapi;

    #[test]
    fn generated_files_are_those_of_this_code() {
        let document = asyncapi::document();
        let json = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
        for (file, text) in [
            ("web/asyncapi.json", json),
            ("web/client/src/generated/catalogue.ts", declarations(&document)),
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
            if std::env::var_os("BLESS").is_some() {
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(&path, &text).expect("the file is written");
            }
            let committed = fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == text, "{file} is stale; BLESS=1 cargo test --lib api::typescript");
        }
    }
}
