//! A function as a program: what its arguments ask for, or the loop of the
//! Lambda Runtime API.

use std::fmt::Debug;
use std::future::Future;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use cardroom::clock::Clock;
use cardroom::poker::ids::Millis;
use lambda_http::lambda_runtime::Diagnostic;
use lambda_http::{IntoResponse, Request, RequestExt, service_fn};
use tokio::time::timeout;

use crate::environment::{BadSetting, Environment, Reads};
use crate::log;

/// Runs until Lambda ends the process. `build` makes the function from its
/// environment and reaches for nothing: what is away while the function starts
/// must not keep it from starting.
pub fn run<Fun, Handle, Handling, Reply, Error>(
    reads: Reads,
    build: impl FnOnce(Environment) -> Result<Fun, BadSetting>,
    handle: Handle,
) -> ExitCode
where
    Fun: Clone + Send + 'static,
    Handle: Fn(Fun, Request) -> Handling,
    Handling: Future<Output = Result<Reply, Error>> + Send + 'static,
    Reply: IntoResponse,
    Error: Debug + Into<Diagnostic>,
{
    if std::env::args().nth(1).is_some_and(|argument| argument == "--print-environment") {
        return match std::io::stdout().write_all(reads.printed().as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let environment = Environment::of_process();
    log::init(&environment);
    let function = match build(environment) {
        Ok(function) => function,
        Err(error) => {
            tracing::error!(%error, "the function cannot start");
            return ExitCode::FAILURE;
        }
    };
    // One request at a time: that is how Lambda calls.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime without threads");
    let serving = lambda_http::run(service_fn(|request| handle(function.clone(), request)));
    match runtime.block_on(serving) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the Runtime API is gone");
            ExitCode::FAILURE
        }
    }
}

/// What of the time that Lambda gives is left for sending the answer.
const MARGIN_MS: u64 = 100;

/// The outcome of `work`, unless Lambda would end the process before it came.
pub async fn before_deadline<T>(request: &Request, work: impl Future<Output = T>) -> Option<T> {
    let deadline = request.lambda_context_ref().map(|context| Millis(context.deadline));
    let Some(deadline) = deadline else { return Some(work.await) };
    let left_ms = deadline.since(Clock::system().now()).saturating_sub(MARGIN_MS);
    timeout(Duration::from_millis(left_ms), work).await.ok()
}
