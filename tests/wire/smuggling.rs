//! `reliability.md` §4.2, smuggling: what two readers of one request might
//! understand differently is answered once, with a refusal, and nothing behind
//! it is read. RFC 9112 §11.2.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::seeing::house::House;
use crate::support::http::get;

/// What would show itself as a second answer.
const SMUGGLED: &str = "GET /healthz HTTP/1.1\r\nHost: smuggled\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// The one answer to a request, and that the connection ends with it.
enum Expected {
    /// This status, and the end.
    Refused(u16),
    /// Ends without an answer.
    Cut,
    /// This status, then one for what follows: both readers agree here.
    Both(u16),
}

use Expected::{Both, Cut, Refused};

/// Name, request, what comes of it. `{more}` stands for [`SMUGGLED`].
#[rustfmt::skip]
fn table() -> Vec<(&'static str, String, Expected)> {
    let post = "POST /api/v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    let get = "GET /healthz HTTP/1.1\r\n";
    let many: String = (0..200).map(|n| format!("X-{n}: x\r\n")).collect();
    let chunked = |body: &str| format!("{post}Transfer-Encoding: chunked\r\n\r\n{body}");
    vec![
        // Two lengths.
        ("CL and TE", format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("TE and CL", format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("two CLs that differ", format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}"), Refused(400)),
        ("two CLs that agree", format!("{post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"), Both(400)),
        ("two CLs in one line", format!("{post}Content-Length: 2, 3\r\n\r\n{{}}"), Refused(400)),
        ("CL with a sign", format!("{post}Content-Length: +2\r\n\r\n{{}}"), Refused(400)),
        ("negative CL", format!("{post}Content-Length: -2\r\n\r\n{{}}"), Refused(400)),
        ("CL in hex", format!("{post}Content-Length: 0x2\r\n\r\n{{}}"), Refused(400)),
        ("CL beyond 64 bits", format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{{}}"), Refused(400)),
        ("empty CL", format!("{post}Content-Length: \r\n\r\n"), Refused(400)),
        // Codings that a proxy may not know.
        ("TE identity", format!("{post}Transfer-Encoding: identity\r\n\r\n"), Refused(400)),
        ("TE chunked twice", format!("{post}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("chunked is not the last coding", format!("{post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("TE gzip and chunked", format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("TE in two lines", format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("xchunked", format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), Refused(400)),
        ("TE on HTTP/1.0", "POST /api/v1/sessions HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), Refused(400)),
        // Header lines that are read in two ways.
        ("space before the colon", format!("{post}Content-Length : 2\r\n\r\n{{}}"), Refused(400)),
        ("obs-fold", format!("{get}Host: a\r\nX: a\r\n b\r\n\r\n"), Refused(400)),
        ("obs-fold of the length", format!("{post}Content-Length:\r\n 2\r\n\r\n{{}}"), Refused(400)),
        ("space before the first header", format!("{get} Host: a\r\n\r\n"), Refused(400)),
        ("no colon", format!("{get}Host a\r\n\r\n"), Refused(400)),
        ("NUL in a value", format!("{get}Host: a\r\nX: a\0b\r\n\r\n"), Refused(400)),
        ("NUL in a name", format!("{get}Host: a\r\nX\0: ab\r\n\r\n"), Refused(400)),
        ("CR in a value", format!("{get}Host: a\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n"), Refused(400)),
        ("empty name", format!("{get}Host: a\r\n: b\r\n\r\n"), Refused(400)),
        // Hosts.
        ("no host", format!("{get}X: a\r\n\r\n"), Refused(400)),
        ("two hosts", format!("{get}Host: a\r\nHost: b\r\n\r\n"), Refused(400)),
        ("another host in the target", "GET http://b/healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refused(400)),
        ("another host in CONNECT", "CONNECT b:80 HTTP/1.1\r\nHost: b:80\r\n\r\n".to_owned(), Refused(400)),
        // The request line.
        ("no version", "GET /healthz\r\n\r\n".to_owned(), Refused(400)),
        ("HTTP/2 in words", "GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n".to_owned(), Refused(400)),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), Cut),
        ("two spaces", "GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refused(400)),
        ("space in the target", "GET /healthz /x HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refused(400)),
        ("no path", "GET healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Refused(400)),
        ("giant request line", format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000)), Refused(431)),
        ("giant header", format!("{get}X: {}", "x".repeat(20_000)), Refused(431)),
        ("many headers", format!("{get}{many}\r\n"), Refused(431)),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(), Refused(400)),
        // Chunks.
        ("chunk size is no number", chunked("zz\r\n{}\r\n0\r\n\r\n"), Refused(400)),
        ("chunk size with a sign", chunked("+2\r\n{}\r\n0\r\n\r\n"), Refused(400)),
        ("chunk size with 0x", chunked("0x2\r\n{}\r\n0\r\n\r\n"), Refused(400)),
        ("chunk size beyond 64 bits", chunked("fffffffffffffffff\r\n{}\r\n0\r\n\r\n"), Refused(400)),
        ("chunk longer than its size", chunked("2\r\n{}x\r\n0\r\n\r\n"), Refused(400)),
        ("chunk ends with a bare LF", chunked("2\n{}\n0\n\n"), Refused(400)),
        ("endless chunk extension", chunked(&format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(20_000))), Refused(400)),
        // What all readers agree on.
        ("chunked with a trailer", chunked("2\r\n{}\r\n0\r\nX-Trailer: x\r\n\r\n"), Both(400)),
        ("chunked with an extension", chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), Both(400)),
        ("absolute form", "GET http://a/healthz HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), Both(200)),
        ("GET with a body", format!("{get}Host: a\r\nContent-Length: 5\r\n\r\nhello"), Both(200)),
        ("empty lines in front", format!("\r\n\r\n{get}Host: a\r\n\r\n"), Both(200)),
        ("HTTP/1.0 ends with its answer", "GET /healthz HTTP/1.0\r\n\r\n".to_owned(), Refused(200)),
    ]
}

#[tokio::test]
async fn what_may_be_read_in_two_ways_is_answered_once() {
    let house = House::open();
    let mut wrong = Vec::new();
    let table = table();
    for (name, request, expected) in &table {
        let said = say(house.address, request).await;
        let statuses = statuses(&said);
        let is_right = match expected {
            Refused(status) => statuses == [*status],
            Cut => statuses.is_empty(),
            Both(status) => statuses == [*status, 200],
        };
        if !is_right {
            wrong.push(format!("{name}: {statuses:?}"));
        }
    }
    assert!(wrong.is_empty(), "of {}:\n{}", table.len(), wrong.join("\n"));
    assert_eq!(get(house.address, "/healthz").await.status, 200);
}

/// Sends a request and one more behind it, and reads to the end.
async fn say(server: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(server).await.expect("server accepts");
    // "TLS" is bytes, not text: each character is one.
    let bytes: Vec<u8> = request.chars().map(|c| c as u8).collect();
    let last = SMUGGLED.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(&[&bytes[..], last.as_bytes()].concat()).await;
    let mut answer = Vec::new();
    // A reset may follow the answer, when the server did not read all.
    let _ =
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("server ends it in time");
    String::from_utf8_lossy(&answer).into_owned()
}

fn statuses(said: &str) -> Vec<u16> {
    let heads = said.split("HTTP/1.").skip(1);
    heads.filter_map(|head| head.split(' ').nth(1)?.get(..3)?.parse().ok()).collect()
}
