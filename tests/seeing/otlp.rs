//! The spans of a real process, at a collector: those of a session that is
//! played over sockets, and no secret in any of them.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::seeing::logs::{PATIENCE, Process, play};

/// A vote for 89 as the text of an attribute: `AnyValue`, field 1, two bytes.
const VOTE: &[u8] = b"\x0a\x0289";

/// More than a test brings about.
const BATCHES_MAX: usize = 64;

/// Takes what is sent to `/v1/traces`, and says so.
async fn collector() -> (SocketAddr, Receiver<Bytes>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (taken, batches) = channel(BATCHES_MAX);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let taken = taken.clone();
            let service = service_fn(move |request| take(request, taken.clone()));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, batches)
}

async fn take(
    request: Request<Incoming>,
    taken: Sender<Bytes>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    assert_eq!(request.uri().path(), "/v1/traces");
    assert_eq!(request.headers()[CONTENT_TYPE], "application/x-protobuf");
    let batch = request.into_body().collect().await?.to_bytes();
    let _ = taken.send(batch).await;
    Ok(Response::default())
}

/// Tells it to end; what it has logged.
async fn terminate(process: Process) -> String {
    let Process { child, .. } = process;
    let pid = child.id().and_then(|id| Pid::from_raw(id as i32)).expect("it runs");
    kill_process(pid, Signal::TERM).expect("it runs");
    let ended = timeout(PATIENCE, child.wait_with_output()).await.expect("in time").expect("ended");
    String::from_utf8(ended.stderr).expect("text")
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn a_collector_is_sent_every_kind_of_span_and_no_secret() {
    let (address, mut batches) = collector().await;
    let endpoint = format!("log.otlp_endpoint=http://{address}/v1/traces");
    let process = Process::set("text", &[&endpoint, "server.drain_seconds=0"]).await;
    let secrets = play(process.address).await;
    let log = terminate(process).await;

    let mut spans = Vec::new();
    while let Ok(batch) = batches.try_recv() {
        spans.extend_from_slice(&batch);
    }
    let words = ["service.instance.id", "connection", "command", "session", "request"];
    let fields = ["vote:submit", "outcome", "socket.id", "session.id", "peer"];
    for word in words.into_iter().chain(fields) {
        assert!(has(&spans, word.as_bytes()), "no {word} in {} bytes\n{log}", spans.len());
    }
    for secret in &secrets {
        assert!(!has(&spans, secret.as_bytes()), "{secret} is in a span");
    }
    assert!(!has(&spans, VOTE), "a vote is in a span");
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nobody_up() {
    // The kernel takes the connections, and nobody reads from them.
    let deaf = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = deaf.local_addr().expect("it is bound");
    let endpoint = format!("log.otlp_endpoint=http://{address}/v1/traces");
    let process = Process::set("text", &[&endpoint, "server.drain_seconds=0"]).await;
    play(process.address).await;
    let log = terminate(process).await;
    assert!(log.contains("the collector does not take spans"), "{log}");
}
