//! Carries batches of spans to the collector, on the thread that exports.

use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{info, warn};

/// From the connection to the end of the answer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const ANSWER_BYTES_MAX: usize = 64 * 1_024;
const HTTP_PORT: u16 = 80;

/// Must only be used outside of asynchronous code: it blocks. Its runtime is
/// its own, so it still works when that of the server has ended.
#[derive(Debug)]
pub(super) struct Courier {
    runtime: Runtime,
    /// Whether the last batch was refused, or met nobody.
    is_failing: AtomicBool,
}

impl Courier {
    pub(super) fn new() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        Ok(Self { runtime, is_failing: AtomicBool::new(false) })
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.runtime.block_on(async {
            timeout(ATTEMPT_TIMEOUT, ask(request)).await.unwrap_or_else(|late| Err(late.into()))
        });
        let problem = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        let was_failing = self.is_failing.swap(problem.is_some(), Ordering::Relaxed);
        match problem {
            Some(error) if !was_failing => warn!(error, "the collector does not take spans"),
            None if was_failing => info!("the collector takes spans again"),
            _ => {}
        }
        answer
    }
}

impl HttpClient for Courier {
    fn send_bytes<'this, 'answer>(
        &'this self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'this: 'answer,
        Self: 'answer,
    {
        Box::pin(ready(self.send(request)))
    }
}

async fn ask(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("no host in the address")?.clone();
    let port = authority.port_u16().unwrap_or(HTTP_PORT);
    let stream = TcpStream::connect(format!("{}:{port}", authority.host())).await?;
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with this function, whichever way that ends.
    let mut drivers = JoinSet::new();
    drivers.spawn(driver);
    head.headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    head.uri = target.parse::<Uri>()?;
    let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(head, body))
}
