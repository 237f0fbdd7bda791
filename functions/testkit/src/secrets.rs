//! The AWS Parameters and Secrets extension.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use hyper::Request;
use hyper::body::Incoming;
use serde_json::json;

use crate::http::{Answer, answer, serve};

/// What Lambda gives functions to identify themselves with.
pub const SESSION_TOKEN: &str = "canary-session-token-0123456789";

pub struct SecretsExtension {
    port: u16,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// By ARN.
    secrets: HashMap<String, String>,
    /// Requests that are still too early.
    refusals: u32,
    requests: u32,
}

impl SecretsExtension {
    pub async fn start(secrets: &[(&str, &str)]) -> Self {
        let owned = |(arn, value): &(&str, &str)| ((*arn).to_owned(), (*value).to_owned());
        let secrets = secrets.iter().map(owned).collect();
        let shared = Arc::new(Mutex::new(Shared { secrets, ..Shared::default() }));
        let serving = Arc::clone(&shared);
        let handle = move |request| {
            let answer = reply(&mut serving.lock().expect("no panic"), &request);
            async move { answer }
        };
        Self { port: serve(handle).await, shared }
    }

    /// The variables by which a function finds it.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", self.port.to_string()),
            ("AWS_SESSION_TOKEN", SESSION_TOKEN.to_owned()),
        ]
    }

    /// The next requests hear that it is too early.
    pub fn refuse(&self, requests: u32) {
        self.shared.lock().expect("no panic").refusals = requests;
    }

    pub fn requests(&self) -> u32 {
        self.shared.lock().expect("no panic").requests
    }
}

fn reply(shared: &mut Shared, request: &Request<Incoming>) -> Answer {
    shared.requests += 1;
    if 0 < shared.refusals {
        shared.refusals -= 1;
        return answer(400, "not ready to serve traffic, please wait");
    }
    let token = request.headers().get("x-aws-parameters-secrets-token");
    if token.is_none_or(|token| token != SESSION_TOKEN) {
        return answer(401, "no token");
    }
    let query = request.uri().query().unwrap_or_default();
    let asked = query.strip_prefix("secretId=").unwrap_or_default().replace("%3A", ":");
    let asked = asked.replace("%2F", "/");
    match shared.secrets.get(&asked) {
        Some(value) if request.uri().path() == "/secretsmanager/get" => {
            let body =
                json!({ "ARN": asked, "SecretString": value, "VersionStages": ["AWSCURRENT"] });
            answer(200, body.to_string())
        }
        _ => answer(404, "ResourceNotFoundException"),
    }
}
