//! HTTP and WebSocket at their plainest: fast enough for a thousand sessions,
//! and every byte that arrives can be put on a tape.

use std::io::Error;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::support::raw_ws::{FIN, TEXT, frame, upgrade_request};

/// For a machine that does ten other things.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) type Failed = String;

/// An answer over HTTP.
pub(super) struct Reply {
    pub(super) status: u16,
    /// The lines of the head behind the first, as they came.
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

/// Requests to one server, one after the other over one connection.
pub(super) struct Http {
    server: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Http {
    pub(super) const fn to(server: SocketAddr) -> Self {
        Self { server, stream: None }
    }

    pub(super) async fn ask(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Reply, Failed> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if method != "GET" {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        request += body;
        let had_stream = self.stream.is_some();
        match timeout(PATIENCE, self.exchange(&request)).await {
            Ok(Ok(reply)) => Ok(reply),
            // The server may have closed an idle connection meanwhile.
            Ok(Err(_)) if had_stream && method == "GET" => {
                self.stream = None;
                let again = timeout(PATIENCE, self.exchange(&request)).await;
                again
                    .map_err(|_| format!("{method} {target}: no answer"))?
                    .map_err(|error| format!("{method} {target}: {error}"))
            }
            Ok(Err(error)) => Err(format!("{method} {target}: {error}")),
            Err(_) => Err(format!("{method} {target}: no answer")),
        }
    }

    async fn exchange(&mut self, request: &str) -> Result<Reply, Error> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.server).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(BufReader::new(stream));
        }
        let Some(stream) = &mut self.stream else { return Err(Error::other("no stream")) };
        stream.get_mut().write_all(request.as_bytes()).await?;
        let (status, headers) = read_head(stream).await?;
        let length = headers.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await?;
        let body = String::from_utf8(body).map_err(Error::other)?;
        Ok(Reply { status, headers, body })
    }
}

async fn read_head(stream: &mut BufReader<TcpStream>) -> Result<(u16, Vec<String>), Error> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(Error::other("closed"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let first = if lines.is_empty() { String::new() } else { lines.remove(0) };
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| Error::other(first))?, lines))
}

/// Upgrades; the two halves of the WebSocket.
pub(super) async fn websocket(
    server: SocketAddr,
    target: &str,
) -> Result<(BufReader<OwnedReadHalf>, OwnedWriteHalf), Failed> {
    let open = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        stream.write_all(upgrade_request("GET", target, "13").as_bytes()).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        if !head.starts_with(b"HTTP/1.1 101 ") {
            return Err(Error::other(String::from_utf8_lossy(&head).into_owned()));
        }
        let (read, write) = stream.into_split();
        Ok((BufReader::new(read), write))
    };
    let opened = timeout(PATIENCE, open).await;
    opened.map_err(|_| "no WebSocket in time".to_owned())?.map_err(|error| error.to_string())
}

pub(super) async fn send_text(socket: &mut OwnedWriteHalf, packet: &str) -> Result<(), Failed> {
    let bytes = frame(FIN | TEXT, packet);
    socket.write_all(&bytes).await.map_err(|error| format!("send: {error}"))
}

/// The next text message; `None` at the end.
pub(super) async fn read_text(socket: &mut BufReader<OwnedReadHalf>) -> Option<String> {
    let mut head = [0; 2];
    socket.read_exact(&mut head).await.ok()?;
    let length = match head[1] {
        126 => u64::from(socket.read_u16().await.ok()?),
        127 => socket.read_u64().await.ok()?,
        short => u64::from(short),
    };
    let mut payload = vec![0; usize::try_from(length).ok()?];
    socket.read_exact(&mut payload).await.ok()?;
    (head[0] == FIN | TEXT).then(|| String::from_utf8(payload).ok())?
}
