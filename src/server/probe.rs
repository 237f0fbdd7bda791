//! `cardroom healthcheck`: asks a running instance how it is. An image that
//! holds nothing but the server has no other program to do it.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use crate::config::Config;

/// To connect, and for every read and write after that.
const PATIENCE: Duration = Duration::from_secs(2);

/// `HTTP/1.1 200`
const STATUS_LINE_BYTES: usize = 12;

/// Why an instance does not count as healthy.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("failed to ask {0:?}: expected http://host:port/path")]
    Url(String),
    #[error("failed to ask {authority}: {error}")]
    Unreachable { authority: String, error: io::Error },
    #[error("{authority} answered {line:?}")]
    NotWell { authority: String, line: String },
}

/// The instance of this configuration on this machine, and whether its process
/// lives. `/readyz` would be the wrong question: a process is no better for
/// being restarted while Redis is away.
pub fn own_url(config: &Config) -> String {
    let listens_on = config.server.listen;
    let ip = match listens_on.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("http://{}/healthz", SocketAddr::new(ip, listens_on.port()))
}

/// Asks once; anything but 200 is an error. Blocks.
pub fn probe(url: &str) -> Result<(), ProbeError> {
    let (authority, path) = split(url).ok_or_else(|| ProbeError::Url(url.to_owned()))?;
    let line = status_line(authority, path)
        .map_err(|error| ProbeError::Unreachable { authority: authority.to_owned(), error })?;
    if line.ends_with(" 200") {
        return Ok(());
    }
    Err(ProbeError::NotWell { authority: authority.to_owned(), line })
}

/// `host:port` and the path.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let is_sendable = url.bytes().all(|byte| byte.is_ascii_graphic());
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    (is_sendable && has_port).then_some((authority, if path.is_empty() { "/" } else { path }))
}

fn status_line(authority: &str, path: &str) -> io::Result<String> {
    let address = authority.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut line = [0; STATUS_LINE_BYTES];
    stream.read_exact(&mut line)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request.
    fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let url = format!("http://{}/healthz", listener.local_addr().expect("it is bound"));
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("somebody asks");
            let mut request = [0; 1024];
            let count = stream.read(&mut request).expect("a request");
            assert!(request[..count].starts_with(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:"));
            stream.write_all(answer.as_bytes()).expect("it listens");
        });
        url
    }

    #[test]
    fn only_200_is_well() {
        assert!(probe(&answering("HTTP/1.1 200 OK\r\n\r\n")).is_ok());
        let busy = probe(&answering("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
        assert!(matches!(busy, Err(ProbeError::NotWell { line, .. }) if line == "HTTP/1.1 503"));
        assert!(matches!(probe(&answering("HTTP")), Err(ProbeError::Unreachable { .. })));
    }

    #[test]
    fn an_instance_is_asked_where_it_listens() {
        let asked = |listen: &str| {
            let mut config = Config::default();
            config.server.listen = listen.parse().expect("an address");
            own_url(&config)
        };
        assert_eq!(asked("0.0.0.0:3000"), "http://127.0.0.1:3000/healthz");
        assert_eq!(asked("[::]:3000"), "http://[::1]:3000/healthz");
        assert_eq!(asked("10.0.0.7:80"), "http://10.0.0.7:80/healthz");
    }

    #[test]
    fn what_is_no_url_is_not_asked() {
        for url in ["", "127.0.0.1:3000", "https://host:1/", "http://host/", "http://h:1/a\r\nb"] {
            assert!(matches!(probe(url), Err(ProbeError::Url(_))), "{url:?}");
        }
    }
}
