//! The event catalogue as an AsyncAPI 3 document, made from the types: every
//! client event with its answer, every server event, every schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::ack::{Always, Refused};
use crate::api::client_event::EventName;
use crate::api::schema::Described;
use crate::api::server_event;

/// The document. Keys are sorted: the same types give the same bytes.
pub fn document() -> Value {
    let mut schemas = Schemas::default();
    let mut messages = Map::new();
    let mut operations = Map::new();

    for name in EventName::ALL {
        let event = name.description();
        let key = key("client", name.as_str());
        let payload = schemas.hoist(serde_json::to_value(&event.payload).unwrap_or_default());
        messages.insert(key.clone(), message(name.as_str(), event.about.as_deref(), payload));
        let accepted = schemas.accepted(event.answer);
        let answer = format!("{key}.accepted");
        let told = format!("{} was accepted.", name.as_str());
        messages.insert(answer.clone(), message(&answer, Some(&told), accepted));
        operations.insert(
            key.clone(),
            json!({
                "action": "receive",
                "channel": { "$ref": "#/channels/table" },
                "summary": event.about.unwrap_or_default(),
                "messages": [in_channel(&key)],
                "reply": {
                    "channel": { "$ref": "#/channels/table" },
                    "messages": [in_channel(&answer), in_channel(REFUSED)],
                },
                "x-accepted-per-minute": name.accepted_per_minute(),
            }),
        );
    }
    let refused = schemas.add(Described::of::<Refused>());
    messages.insert(REFUSED.to_owned(), message(REFUSED, Some("The event was refused."), refused));

    for event in server_event::descriptions() {
        let key = key("server", event.name);
        let payload = schemas.add(event.payload);
        messages.insert(key.clone(), message(event.name, event.about.as_deref(), payload));
        operations.insert(
            key.clone(),
            json!({
                "action": "send",
                "channel": { "$ref": "#/channels/table" },
                "summary": event.about.unwrap_or_default(),
                "messages": [in_channel(&key)],
            }),
        );
    }

    let of_channel: Map<String, Value> = messages
        .keys()
        .map(|key| (key.clone(), json!({ "$ref": format!("#/components/messages/{key}") })))
        .collect();
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "cardroom",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "defaultContentType": "application/json",
        "channels": {
            "table": {
                "address": "/",
                "title": "The main namespace",
                "description": "A handshake whose `auth` has the fields of `session:join` joins at once.",
                "messages": of_channel,
            },
        },
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas.0 },
    })
}

const ABOUT: &str = "Planning poker over Socket.IO (protocol 5, Engine.IO 4) at `/socket.io/`. \
    An event is `[name, payload]`; a message's `name` is the event's. Every client event may ask \
    for an acknowledgement, which is the reply. Broadcasts carry `seq`, one more than the last; \
    after a gap ask for `session:sync`. A connection that can be recovered gets one further \
    argument, a string, with every event.";

const REFUSED: &str = "refused";

/// A name without the characters that a key of `components` must not have;
/// both sides may say the same.
fn key(speaker: &str, name: &str) -> String {
    format!("{speaker}.{}", name.replace(':', "."))
}

fn in_channel(key: &str) -> Value {
    json!({ "$ref": format!("#/channels/table/messages/{key}") })
}

fn message(name: &str, about: Option<&str>, payload: Value) -> Value {
    json!({ "name": name, "summary": about.unwrap_or_default(), "payload": payload })
}

/// The schemas that have a name.
#[derive(Default)]
struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// Keeps a schema with all that it refers to; gives the reference to it.
    fn add(&mut self, described: Described) -> Value {
        for (name, schema) in described.schemas {
            let schema = serde_json::to_value(&schema).unwrap_or_default();
            let schema = self.hoist_within(schema);
            self.keep(name, schema);
        }
        reference(&described.name)
    }

    fn keep(&mut self, name: String, schema: Value) {
        let known = self.0.get(&name);
        debug_assert!(known.is_none_or(|known| *known == schema), "two types are called {name}");
        self.0.insert(name, schema);
    }

    /// The acknowledgement of success, which adds `body`.
    fn accepted(&mut self, body: Described) -> Value {
        let body = self.add(body);
        let ok = serde_json::to_value(<Always<true> as utoipa::PartialSchema>::schema());
        let head = json!({
            "type": "object",
            "required": ["ok"],
            "properties": {
                "ok": ok.unwrap_or_default(),
                "seq": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "The session's, after the event; not of a heartbeat.",
                },
            },
        });
        json!({ "allOf": [head, body] })
    }

    /// Objects with a title get a place of their own, wherever they stand.
    fn hoist(&mut self, schema: Value) -> Value {
        let schema = self.hoist_within(schema);
        match schema.get("title").and_then(Value::as_str).map(str::to_owned) {
            Some(title) => {
                let mut schema = schema;
                if let Some(object) = schema.as_object_mut() {
                    object.remove("title");
                }
                self.keep(title.clone(), schema);
                reference(&title)
            }
            None => schema,
        }
    }

    fn hoist_within(&mut self, schema: Value) -> Value {
        match schema {
            Value::Object(object) => {
                object.into_iter().map(|(key, value)| (key, self.hoist(value))).collect()
            }
            Value::Array(items) => items.into_iter().map(|item| self.hoist(item)).collect(),
            schema => schema,
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_somewhere() {
        let document = document();
        let mut missing = Vec::new();
        references(&document, &mut |reference| {
            if document.pointer(reference.trim_start_matches('#')).is_none() {
                missing.push(reference.to_owned());
            }
        });
        assert_eq!(missing, Vec::<String>::new());
    }

    /// On the wire, `null` means something and so does leaving out; no field
    /// that the server sends has both.
    #[test]
    fn what_the_server_sends_is_optional_or_nullable() {
        let document = document();
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let mut vague = Vec::new();
        for (name, schema) in schemas.iter().filter(|(name, _)| !is_said_by_clients(name)) {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object().cloned().unwrap_or_default();
            for (field, property) in properties {
                let is_optional = !required.contains(&field.clone().into());
                if is_optional
                    && property.to_string().contains("\"null\"")
                    && name != "MaybeRevealed"
                {
                    vague.push(format!("{name}.{field}"));
                }
            }
        }
        assert_eq!(vague, Vec::<String>::new());
    }

    fn is_said_by_clients(name: &str) -> bool {
        ["SettingsEdit", "SessionCreate"].contains(&name)
    }

    fn references(value: &Value, found: &mut impl FnMut(&str)) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    match value {
                        Value::String(reference) if key == "$ref" => found(reference),
                        value => references(value, found),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
}
