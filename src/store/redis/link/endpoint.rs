//! What `redis.url` says: which servers, and how they are spoken to.

use std::fmt;

use redis::{ConnectionInfo, IntoConnectionInfo, RedisError};

/// Servers that one URL may name.
const SEEDS_MAX: usize = 64;
const PORT: u16 = 6_379;
const SENTINEL_PORT: u16 = 26_379;

/// A parsed URL; see `RedisOptions::url` for its forms.
pub(super) struct Endpoint {
    pub(super) kind: EndpointKind,
    /// Never empty; of Sentinel, the sentinels.
    pub(super) seeds: Vec<Address>,
    /// User, password, database and TLS of the servers that hold the data.
    pub(super) info: ConnectionInfo,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EndpointKind {
    /// One server, which says itself whether it is part of a cluster.
    Direct,
    Cluster,
    Sentinel {
        master: String,
    },
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Why a URL cannot be read. It is not shown: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum UrlError {
    #[error(
        "the scheme is none of redis, rediss, redis+sentinel, rediss+sentinel, redis+cluster, rediss+cluster"
    )]
    Scheme,
    #[error("a host is missing, or its port is no number")]
    Host,
    #[error("more than {SEEDS_MAX} hosts")]
    TooMany,
    #[error("the name of the primary is missing: redis+sentinel://host:port,host:port/name")]
    Master,
    #[error("it is malformed")]
    Malformed(#[source] RedisError),
}

impl Endpoint {
    pub(super) fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        let (transport, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        if !matches!(transport, "redis" | "rediss") {
            return Err(UrlError::Scheme);
        }
        // Several whole URLs are the same as one with several hosts.
        let rest = rest.replace(&format!(",{scheme}://"), ",");
        let (authority, path) = rest.split_once('/').unwrap_or((&rest, ""));
        let (master, path) = match kind {
            "sentinel" => path.split_once('/').unwrap_or((path, "")),
            "" | "cluster" => ("", path),
            _ => return Err(UrlError::Scheme),
        };
        let hosts: Vec<&str> = authority.split(',').collect();
        if SEEDS_MAX < hosts.len() {
            return Err(UrlError::TooMany);
        }
        let default_port = if kind == "sentinel" { SENTINEL_PORT } else { PORT };
        let seeds: Option<Vec<Address>> = hosts
            .iter()
            .map(|host| Address::parse(without_credentials(host), default_port))
            .collect();
        let seeds = seeds.ok_or(UrlError::Host)?;
        let kind = match kind {
            "sentinel" if master.is_empty() => return Err(UrlError::Master),
            "sentinel" => EndpointKind::Sentinel { master: master.to_owned() },
            "" if seeds.len() == 1 => EndpointKind::Direct,
            _ => EndpointKind::Cluster,
        };
        // Credentials, database and TLS as the library reads them.
        let first = hosts.first().copied().unwrap_or_default();
        let credentials = first.rsplit_once('@').map(|(credentials, _)| credentials);
        let host = &seeds.first().ok_or(UrlError::Host)?;
        let whole = match credentials {
            Some(credentials) => format!("{transport}://{credentials}@{host}/{path}"),
            None => format!("{transport}://{host}/{path}"),
        };
        let info = whole.into_connection_info().map_err(UrlError::Malformed)?;
        Ok(Self { kind, seeds, info })
    }
}

fn without_credentials(host: &str) -> &str {
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

impl Address {
    /// `host`, `host:port`, `[v6]` or `[v6]:port`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok()?,
            None => default_port,
        };
        (!host.is_empty()).then(|| Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(url: &str) -> (EndpointKind, Vec<String>) {
        let endpoint = Endpoint::parse(url).unwrap();
        (endpoint.kind, endpoint.seeds.iter().map(Address::to_string).collect())
    }

    #[test]
    fn reads_every_form() {
        use EndpointKind::{Cluster, Direct, Sentinel};
        assert_eq!(seeds("redis://a"), (Direct, vec!["a:6379".to_owned()]));
        assert_eq!(seeds("rediss://u:p@a:1/2"), (Direct, vec!["a:1".to_owned()]));
        let two = vec!["a:1".to_owned(), "[::1]:6379".to_owned()];
        assert_eq!(seeds("redis://a:1,[::1]"), (Cluster, two.clone()));
        assert_eq!(seeds("redis://u:p@a:1,redis://u:p@[::1]:6379"), (Cluster, two));
        assert_eq!(seeds("redis+cluster://a"), (Cluster, vec!["a:6379".to_owned()]));
        let master = "main".to_owned();
        let sentinels = vec!["a:1".to_owned(), "b:26379".to_owned()];
        assert_eq!(seeds("redis+sentinel://u:p@a:1,b/main/3"), (Sentinel { master }, sentinels));
        let info = Endpoint::parse("redis+sentinel://u:p%2F@a:1,b/main/3").unwrap().info;
        assert_eq!(info.redis_settings().db(), 3);
        assert_eq!(info.redis_settings().username(), Some("u"));
        assert_eq!(info.redis_settings().password(), Some("p/"));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_shows_nothing() {
        for url in [
            "canary",
            "http://:canary@a",
            "redis+ring://:canary@a",
            "redis://:canary@",
            "redis://:canary@a:port",
            "redis+sentinel://:canary@a:1",
            "redis://:canary@a/x",
        ] {
            let error = Endpoint::parse(url).err().expect(url);
            assert!(!format!("{error} {error:?}").contains("canary"), "{url}");
        }
    }
}
