//! A load balancer without stickiness: every HTTP request goes to the next
//! instance that is ready and takes it, whatever connection it came on. An
//! upgraded connection stays where it is. A GET that is answered 503 goes to
//! the next one, as with those of `infra/`: a look that comes late on a busy
//! machine sends nobody away.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::clock::now_ns;

pub(crate) struct Front {
    pub(crate) port: u16,
}

struct Target {
    port: u16,
    /// As of the last look at `/readyz`.
    is_ready: AtomicBool,
}

const LOOK_EVERY: Duration = Duration::from_millis(400);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

impl Front {
    /// `log` gets a line for every answer that is not a success.
    pub(crate) async fn start(instances: Vec<u16>, log: &Path) -> Result<Self, String> {
        let log = File::create(log).map_err(|error| format!("a log: {error}"))?;
        let log = Arc::new(log);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(|error| format!("a front: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let target = |port| Target { port, is_ready: AtomicBool::new(true) };
        let instances: Arc<[Target]> = instances.into_iter().map(target).collect();
        let turn = Arc::new(AtomicUsize::new(0));
        let looked_at = Arc::clone(&instances);
        tokio::spawn(async move {
            loop {
                for target in looked_at.iter() {
                    if let Some(is_ready) = is_ready(target.port).await {
                        target.is_ready.store(is_ready, Ordering::Relaxed);
                    }
                }
                sleep(LOOK_EVERY).await;
            }
        });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (instances, turn) = (Arc::clone(&instances), Arc::clone(&turn));
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let _ = client.set_nodelay(true);
                    // A client that goes away is its own business.
                    let _ = serve(client, &instances, &turn, &log).await;
                });
            }
        });
        Ok(Self { port })
    }
}

async fn serve(
    mut client: TcpStream,
    instances: &[Target],
    turn: &AtomicUsize,
    log: &File,
) -> io::Result<()> {
    let mut waiting = Vec::new();
    let mut refused: Option<(Vec<u8>, usize)> = None;
    loop {
        let (request, refusals) = match refused.take() {
            Some(refused) => refused,
            None => match message(&mut client, &mut waiting).await? {
                Some(request) => (request, 0),
                None => return Ok(()),
            },
        };
        let Some(mut instance) = next_instance(instances, turn).await else {
            let unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
            client.write_all(unavailable.as_bytes()).await?;
            continue;
        };
        instance.write_all(&request).await?;
        let mut behind = Vec::new();
        let response = loop {
            tokio::select! {
                response = message(&mut instance, &mut behind) => break response?,
                // A client that gives up its poll gives up the instance too.
                read = client.read_buf(&mut waiting) => if read? == 0 { return Ok(()) },
            }
        };
        let Some(response) = response else {
            // Killed in the middle of an answer: nobody knows what became of
            // it, so it is not asked elsewhere.
            note(log, &request, b"(killed)");
            let bad = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
            client.write_all(bad.as_bytes()).await?;
            continue;
        };
        if !response.starts_with(b"HTTP/1.1 200") {
            note(log, &request, &response);
        }
        let may_go_on = request.starts_with(b"GET ") && refusals + 1 < instances.len();
        if may_go_on && response.starts_with(b"HTTP/1.1 503") {
            refused = Some((request, refusals + 1));
            continue;
        }
        client.write_all(&response).await?;
        if response.starts_with(b"HTTP/1.1 101") {
            client.write_all(&behind).await?;
            instance.write_all(&waiting).await?;
            copy_bidirectional(&mut client, &mut instance).await?;
            return Ok(());
        }
    }
}

fn note(mut log: &File, request: &[u8], response: &[u8]) {
    let first_line = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().next().unwrap_or_default().to_owned()
    };
    let (request, response) = (first_line(request), first_line(response));
    // In one piece, as others write here too.
    let line = format!("{} {response} <- {request}\n", now_ns());
    let _ = log.write_all(line.as_bytes());
}

/// The next instance that is ready; where none is, the next that accepts.
async fn next_instance(instances: &[Target], turn: &AtomicUsize) -> Option<TcpStream> {
    for needs_ready in [true, false] {
        for _ in instances {
            let index = turn.fetch_add(1, Ordering::Relaxed) % instances.len();
            let target = instances.get(index)?;
            if needs_ready && !target.is_ready.load(Ordering::Relaxed) {
                continue;
            }
            if let Ok(stream) = TcpStream::connect(("127.0.0.1", target.port)).await {
                let _ = stream.set_nodelay(true);
                return Some(stream);
            }
        }
    }
    None
}

/// `None` of one that takes its time: on a busy machine that says nothing.
async fn is_ready(port: u16) -> Option<bool> {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        message(&mut stream, &mut Vec::new()).await
    };
    let answer = timeout(LOOK_EVERY, ask).await.ok()?;
    Some(matches!(answer, Ok(Some(answer)) if answer.starts_with(b"HTTP/1.1 200")))
}

/// A whole request or response; what lies behind it stays in `waiting`.
/// `None`: the connection ended before. Cancel-safe: all that was read is there.
async fn message(stream: &mut TcpStream, waiting: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let head = loop {
        if let Some(end) = waiting.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        if HEAD_BYTES_MAX < waiting.len() || stream.read_buf(waiting).await? == 0 {
            return Ok(None);
        }
    };
    let body = content_length(waiting.get(..head).unwrap_or_default()).min(BODY_BYTES_MAX);
    while waiting.len() < head + body {
        if stream.read_buf(waiting).await? == 0 {
            return Ok(None);
        }
    }
    let rest = waiting.split_off(head + body);
    Ok(Some(std::mem::replace(waiting, rest)))
}

fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head);
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"))
        .find_map(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}
