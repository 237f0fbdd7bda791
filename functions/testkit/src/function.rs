//! A function as Lambda runs it: the binary, with an environment of its own.

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::runtime_api::RuntimeApi;

/// Until a function that was called must have answered.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// The deadline that functions are told unless the test says another one.
const DEADLINE: Duration = Duration::from_secs(30);
/// Until what a process wrote has been read.
const PIPE_TIMEOUT: Duration = Duration::from_secs(20);

/// As long as a deployment waits for Redis.
pub const AS_DEPLOYED: [(&str, &str); 2] =
    [("CARDROOM_REDIS__CONNECT_TIMEOUT_MS", ""), ("CARDROOM_REDIS__COMMAND_TIMEOUT_MS", "")];

/// A Redis that a busy machine holds up is not one that is away.
const PATIENT: [(&str, &str); 2] = [
    ("CARDROOM_REDIS__CONNECT_TIMEOUT_MS", "10000"),
    ("CARDROOM_REDIS__COMMAND_TIMEOUT_MS", "10000"),
];

pub struct Function {
    api: RuntimeApi,
    process: Child,
    out: Arc<Mutex<Vec<u8>>>,
    errors: Arc<Mutex<Vec<u8>>>,
}

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Response(Value),
    Error(Value),
}

#[derive(Debug, Clone)]
pub struct Reply {
    pub outcome: Outcome,
    pub took: Duration,
}

/// All that a function wrote in its life.
#[derive(Debug)]
pub struct Ended {
    pub out: String,
    pub errors: String,
    /// What it told the Runtime API instead of starting.
    pub init_errors: Vec<String>,
}

impl Function {
    /// `binary` as `env!("CARGO_BIN_EXE_…")` names it; one of the same name in
    /// the folder `CARDROOM_FUNCTIONS_BIN` is taken instead, if there is one.
    pub async fn start(binary: &str, environment: &[(&str, &str)]) -> Self {
        let api = RuntimeApi::start().await;
        let mut command = Command::new(chosen(binary));
        command.env_clear().envs(PATIENT).envs(environment.iter().copied());
        command.envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "poker"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ]);
        command.env("AWS_LAMBDA_RUNTIME_API", format!("127.0.0.1:{}", api.port));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.kill_on_drop(true).spawn().expect("the function's binary");
        let out = collect(process.stdout.take().expect("a pipe"));
        let errors = collect(process.stderr.take().expect("a pipe"));
        Self { api, process, out, errors }
    }

    pub async fn invoke(&self, event: &Value) -> Reply {
        self.invoke_text(event.to_string(), DEADLINE).await
    }

    /// Until the answer is another one than `status`, a few times.
    pub async fn invoke_in_vain(&self, event: &Value, status: u64) -> Reply {
        for _ in 0..10 {
            let reply = self.invoke(event).await;
            if reply.status() != status {
                return reply;
            }
        }
        self.invoke(event).await
    }

    /// An event that need not be JSON.
    pub async fn invoke_text(&self, event: String, within: Duration) -> Reply {
        let began = Instant::now();
        let posted = timeout(ANSWER_TIMEOUT, self.api.invoke(event, within)).await;
        let posted = posted.unwrap_or_else(|_| panic!("no answer; it says {}", self.logged()));
        let took = began.elapsed();
        let body = serde_json::from_str(&posted.body).expect("answers are JSON");
        let outcome = match posted.kind.as_str() {
            "response" => Outcome::Response(body),
            _ => Outcome::Error(body),
        };
        Reply { outcome, took }
    }

    /// The lines on standard output, once there are so many.
    pub async fn said(&self, lines: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let text = text(&self.out);
            let found: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines <= found.len() && text.ends_with('\n') || lines == 0 {
                return found;
            }
            assert!(began.elapsed() < PIPE_TIMEOUT, "{lines} lines expected, found {found:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn logged(&self) -> String {
        text(&self.errors)
    }

    pub async fn end(mut self) -> Ended {
        // What is in the pipes is read before they are gone with the process.
        sleep(Duration::from_millis(50)).await;
        let _ = self.process.kill().await;
        Ended {
            out: text(&self.out),
            errors: text(&self.errors),
            init_errors: self.api.init_errors(),
        }
    }

    /// Runs `binary` with one argument to its end; its standard output.
    pub async fn print(binary: &str, argument: &str) -> String {
        let done = Command::new(chosen(binary)).env_clear().arg(argument).output().await;
        let done = done.expect("the function's binary");
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).expect("text")
    }

    /// Bytes of the binary that the tests run.
    pub fn size(binary: &str) -> u64 {
        std::fs::metadata(chosen(binary)).expect("the function's binary").len()
    }
}

impl Reply {
    pub fn response(&self) -> &Value {
        match &self.outcome {
            Outcome::Response(value) => value,
            Outcome::Error(error) => panic!("the invocation failed: {error}"),
        }
    }

    pub fn error(&self) -> &Value {
        match &self.outcome {
            Outcome::Error(error) => error,
            Outcome::Response(value) => panic!("the invocation did not fail: {value}"),
        }
    }

    pub fn status(&self) -> u64 {
        self.response()["statusCode"].as_u64().expect("an HTTP answer")
    }

    /// The body of an HTTP answer.
    pub fn text(&self) -> &str {
        self.response()["body"].as_str().unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(self.text()).expect("a JSON body")
    }

    /// A header of an HTTP answer, wherever its caller looks for it.
    pub fn header(&self, name: &str) -> Option<&str> {
        let response = self.response();
        let many = response["multiValueHeaders"][name].as_array();
        let many = many.map(|values| {
            assert_eq!(values.len(), 1, "{name} more than once");
            values[0].as_str().expect("text")
        });
        let one = response["headers"][name].as_str();
        if many.is_some() { many } else { one }
    }
}

impl Ended {
    /// None of these stands in anything that was written.
    pub fn assert_silent_about(&self, secrets: &[&str]) {
        for secret in secrets {
            for text in [&self.out, &self.errors] {
                assert!(!text.contains(secret), "{secret} was written: {text}");
            }
        }
    }
}

fn chosen(binary: &str) -> std::path::PathBuf {
    let given = std::env::var_os("CARDROOM_FUNCTIONS_BIN");
    let name = Path::new(binary).file_name().expect("a file name");
    match given.filter(|folder| !folder.is_empty()) {
        Some(folder) => Path::new(&folder).join(name),
        None => binary.into(),
    }
}

fn collect(mut pipe: impl AsyncRead + Unpin + Send + 'static) -> Arc<Mutex<Vec<u8>>> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&read);
    tokio::spawn(async move {
        let mut buffer = vec![0; 8 * 1_024];
        while let Ok(count) = pipe.read(&mut buffer).await {
            if count == 0 {
                break;
            }
            all.lock().expect("no panic").extend_from_slice(&buffer[..count]);
        }
    });
    read
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().expect("no panic")).into_owned()
}
