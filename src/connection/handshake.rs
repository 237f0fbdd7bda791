//! The request that opened a connection, as far as it is kept.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::connection::admission::Place;
use crate::protocol::engineio::TransportName;

/// What the client said when it opened the connection.
#[derive(Debug, Clone)]
pub struct Handshake {
    /// The query string, still URL-encoded, `EIO` and `transport` included.
    pub query: Box<str>,
    /// Only those that [`Options::headers_kept`](crate::connection::Options) names.
    pub headers: HeaderMap,
    /// The client, whatever proxies and instances are in between.
    pub peer: SocketAddr,
    /// Among the connections of that address; the connection takes it.
    pub place: Option<Place>,
    /// The transport it opened with; an upgrade does not change it.
    pub transport: TransportName,
}

impl Handshake {
    /// The query's pairs, URL-decoded, in order.
    pub fn query_pairs(&self) -> impl Iterator<Item = (String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned()
    }

    /// The first value of a query parameter, URL-decoded.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query_pairs().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// Keeps only the named headers, or all, and nothing else of the request:
    /// a value that is merely cloned keeps the buffer it was read into alive.
    pub(super) fn shrink(&mut self, kept: Option<&[HeaderName]>) {
        let is_kept = |name: &HeaderName| kept.is_none_or(|kept| kept.contains(name));
        let all = std::mem::take(&mut self.headers);
        for (name, value) in all.iter().filter(|(name, _)| is_kept(name)) {
            if let Ok(copy) = HeaderValue::from_bytes(value.as_bytes()) {
                self.headers.append(name, copy);
            }
        }
    }
}
