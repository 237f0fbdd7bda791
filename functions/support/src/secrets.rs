//! Secrets, from the environment itself or through the AWS Parameters and
//! Secrets extension, which listens on localhost.
//!
//! ```text
//! GET /secretsmanager/get?secretId=<ARN>          the extension answers once the
//! X-Aws-Parameters-Secrets-Token: <session token>  first invocation has begun
//! ```
//!
//! So a secret is read when it is first needed, never while the function
//! starts, and again every five minutes, which is how long the extension
//! itself keeps it: a secret that was rotated is in use ten minutes later.
//! <https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardroom::clock::Clock;
use cardroom::poker::ids::Millis;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::environment::{Environment, REFERENCE};

/// For one secret, all attempts together.
const FETCH_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The extension may still be starting.
const ATTEMPTS_MAX: u32 = 5;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
const ANSWER_BYTES_MAX: usize = 128 * 1_024;
/// How long a secret is used before it is read again.
const KEPT_MS: u64 = 300_000;

/// Why there is no secret. Says nothing of its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("neither {0} nor {REFERENCE}{0} is in the environment")]
    Missing(&'static str),
    #[error("the extension cannot be reached")]
    Unreachable,
    #[error("the extension says {0}")]
    Refused(u16),
    #[error("the extension's answer is no secret")]
    Unreadable,
    #[error("the extension did not answer in time")]
    Late,
}

/// The secrets of one function.
pub struct Secrets {
    environment: Environment,
    kept: Mutex<HashMap<&'static str, Kept>>,
}

struct Kept {
    value: Arc<SecretString>,
    since: Millis,
}

impl Secrets {
    pub fn new(environment: Environment) -> Self {
        Self { environment, kept: Mutex::default() }
    }

    /// The value of the setting `name`; the same `Arc` as long as it is the
    /// same value.
    pub async fn read(&self, name: &'static str) -> Result<Arc<SecretString>, SecretError> {
        use secrecy::ExposeSecret;

        let now = Clock::system().now();
        let kept = {
            let all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(name).map(|kept| (Arc::clone(&kept.value), kept.since))
        };
        if let Some((value, since)) = &kept
            && now.since(*since) < KEPT_MS
        {
            return Ok(Arc::clone(value));
        }
        let value = match (self.fetch(name).await, kept) {
            (Ok(fresh), Some((old, _))) if fresh.expose_secret() == old.expose_secret() => old,
            (Ok(fresh), _) => Arc::new(fresh),
            // What was good five minutes ago is better than nothing.
            (Err(error), Some((old, _))) => {
                tracing::warn!(%error, secret = name, "a secret could not be read again");
                old
            }
            (Err(error), None) => return Err(error),
        };
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name, Kept { value: Arc::clone(&value), since: now });
        Ok(value)
    }

    /// Somebody found that it no longer opens anything: it is read again the
    /// next time.
    pub fn doubt(&self, name: &'static str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    async fn fetch(&self, name: &'static str) -> Result<SecretString, SecretError> {
        if let Some(value) = self.environment.get(name) {
            return Ok(value.to_owned().into());
        }
        let reference = self.environment.get(&format!("{REFERENCE}{name}"));
        let reference = reference.ok_or(SecretError::Missing(name))?;
        let port = self.environment.get(PORT).and_then(|port| port.parse().ok());
        let token = self.environment.get(SESSION_TOKEN).unwrap_or_default();
        let fetching = fetch_patiently(port.unwrap_or(PORT_DEFAULT), reference, token);
        timeout(FETCH_TIMEOUT, fetching).await.unwrap_or(Err(SecretError::Late))
    }
}

async fn fetch_patiently(
    port: u16,
    reference: &str,
    token: &str,
) -> Result<SecretString, SecretError> {
    let mut attempt = 1;
    loop {
        match fetch_once(port, reference, token).await {
            // 400: "not ready to serve traffic, please wait".
            Err(SecretError::Unreachable | SecretError::Refused(400 | 500..))
                if attempt < ATTEMPTS_MAX =>
            {
                sleep(ATTEMPT_PAUSE * attempt).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

async fn fetch_once(port: u16, reference: &str, token: &str) -> Result<SecretString, SecretError> {
    let stream = TcpStream::connect((HOST, port)).await.map_err(|_| SecretError::Unreachable)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| SecretError::Unreachable)?;
    // Ends with the sender.
    tokio::spawn(connection);
    let request = Request::get(format!("/secretsmanager/get?secretId={}", escaped(reference)))
        .header("host", HOST)
        .header("x-aws-parameters-secrets-token", token)
        .body(Empty::<Bytes>::new())
        .map_err(|_| SecretError::Unreachable)?;
    let response = sender.send_request(request).await.map_err(|_| SecretError::Unreachable)?;
    if response.status() != StatusCode::OK {
        return Err(SecretError::Refused(response.status().as_u16()));
    }
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX);
    let body = body.collect().await.map_err(|_| SecretError::Unreadable)?.to_bytes();
    let answer: Answer = serde_json::from_slice(&body).map_err(|_| SecretError::Unreadable)?;
    Ok(answer.secret_string)
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "SecretString")]
    secret_string: SecretString,
}

/// For a query (RFC 3986, §3.4).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

const HOST: &str = "127.0.0.1";
const PORT: &str = "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT";
const PORT_DEFAULT: u16 = 2_773;
const SESSION_TOKEN: &str = "AWS_SESSION_TOKEN";

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::environment::REDIS_URL;

    #[tokio::test]
    async fn what_is_in_the_environment_is_not_asked_for() {
        let secrets = Secrets::new(Environment::from([(REDIS_URL, "redis://x")]));
        let value = secrets.read(REDIS_URL).await.expect("a value");
        assert_eq!(value.expose_secret(), "redis://x");
        assert!(Arc::ptr_eq(&value, &secrets.read(REDIS_URL).await.expect("a value")));
    }

    #[tokio::test]
    async fn what_is_nowhere_is_said() {
        let missing = Secrets::new(Environment::default()).read(REDIS_URL).await;
        let error = missing.expect_err("nowhere").to_string();
        assert!(error.starts_with("neither CARDROOM_REDIS__URL nor SECRET_ARN_"), "{error}");
    }

    #[test]
    fn a_reference_is_one_value_of_the_query() {
        assert_eq!(escaped("arn:aws:x/y-1&z=é"), "arn%3Aaws%3Ax%2Fy-1%26z%3D%C3%A9");
    }
}
