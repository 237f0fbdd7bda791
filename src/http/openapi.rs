//! The description of this API, made from the handlers and their types.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::StatusCode;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr};
use utoipa::{Modify, OpenApi};

use crate::http::call::{Answer, Api, Call, text};
use crate::http::problem::ProblemDocument;
use crate::http::{asyncapi, export, front, health, metrics, seats, sessions, status, stories};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cardroom",
        description = "Planning-poker sessions over HTTP. The game is played over Socket.IO.",
    ),
    servers((url = "/", description = "This server")),
    paths(
        front::door,
        health::alive,
        health::ready,
        metrics::scrape,
        status::show,
        serve,
        asyncapi::serve,
        sessions::create,
        sessions::card,
        sessions::end,
        sessions::state,
        seats::validate,
        seats::join,
        stories::create,
        export::download,
    ),
    components(schemas(ProblemDocument)),
    modifiers(&Problems, &Tokens),
    tags(
        (name = "sessions", description = "Planning-poker sessions"),
        (name = "seats", description = "Who sits at the table"),
        (name = "stories", description = "What is estimated"),
        (name = "server", description = "The instance itself"),
        (name = "operators", description = "For those who run it"),
    ),
)]
struct Description;

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json",
    operation_id = "describe", tag = "server",
    responses(
        (status = 200, description = "OpenAPI 3.1", body = Object),
    ))]
pub(super) async fn serve(_: Arc<Api>, _: Call) -> Answer {
    static DOCUMENT: OnceLock<Bytes> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| {
        // The description is a constant; a test reads it back.
        serde_json::to_vec(&Description::openapi()).unwrap_or_default().into()
    });
    Ok(text(StatusCode::OK, "application/json", document.clone()))
}

/// Whatever is no success is a problem document.
struct Problems;

impl Modify for Problems {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let problem = Content::new(Some(Ref::from_schema_name("ProblemDocument"))).into();
        let items = api.paths.paths.values_mut();
        let operations = items.flat_map(|item| [&mut item.get, &mut item.post, &mut item.delete]);
        for operation in operations.flatten() {
            let responses: &mut BTreeMap<_, _> = &mut operation.responses.responses;
            for (status, response) in responses {
                if let RefOr::T(response) = response
                    && !status.starts_with('2')
                {
                    let kind = "application/problem+json".to_owned();
                    response.content.insert(kind, RefOr::clone(&problem));
                }
            }
        }
    }
}

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        for (name, description) in [
            ("playerToken", "The `playerToken` of a seat, or the `hostToken` of an opened session"),
            ("operatorToken", "`metrics.token` or `admin.token` of the configuration"),
        ] {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(description.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::http::routes::ROUTES;

    fn document() -> Value {
        serde_json::to_value(Description::openapi()).expect("a document")
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let routes: BTreeSet<(String, String)> = ROUTES
            .iter()
            .map(|route| (route.path.to_owned(), route.method.as_str().to_ascii_lowercase()))
            .collect();
        let document = document();
        let paths = document["paths"].as_object().expect("paths");
        let described: BTreeSet<(String, String)> = paths
            .iter()
            .flat_map(|(path, item)| {
                let methods = item.as_object().expect("methods");
                methods.keys().map(|method| (path.clone(), method.clone()))
            })
            .collect();
        assert_eq!(described, routes);
    }

    #[test]
    fn the_document_is_openapi_3_1_and_whole() {
        let text = serde_json::to_vec(&Description::openapi()).expect("JSON");
        let again: utoipa::openapi::OpenApi = serde_json::from_slice(&text).expect("parses");
        let document = serde_json::to_value(&again).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let mut missing = Vec::new();
        references(&document, &mut |reference| {
            let pointer = reference.trim_start_matches('#');
            if document.pointer(pointer).is_none() {
                missing.push(reference.to_owned());
            }
        });
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let document = document();
        let items = document["paths"].as_object().expect("paths").values();
        let operations = items.flat_map(|item| item.as_object().expect("methods").values());
        let names: Vec<&str> =
            operations.filter_map(|operation| operation["operationId"].as_str()).collect();
        assert_eq!(names.len(), ROUTES.len());
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }

    #[test]
    fn problems_are_problem_documents() {
        let document = document();
        let response = &document["paths"]["/api/v1/sessions/{session}"]["get"]["responses"]["404"];
        let schema = &response["content"]["application/problem+json"]["schema"]["$ref"];
        assert_eq!(schema, "#/components/schemas/ProblemDocument");
    }

    #[test]
    fn bodies_have_the_fields_that_are_read() {
        let document = document();
        let schema = &document["components"]["schemas"]["NewSession"];
        assert_eq!(schema["required"], serde_json::json!(["name"]));
        let settings = &schema["properties"]["settings"]["properties"];
        assert_eq!(settings["autoReveal"]["type"], "boolean");
        assert_eq!(schema["properties"]["name"]["maxLength"], 100);
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
