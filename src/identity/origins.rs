//! Which pages may ask, by the `Origin` that browsers name.

/// Which pages may talk to a server. A request without `Origin` is no page's and
/// is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    Any,
    /// Origins such as `https://cards.example`; a port `*` is any port.
    Listed(Vec<String>),
}

impl Origins {
    /// The list as it is configured, [normalised](origin); `*` is any.
    pub fn new(list: &[String]) -> Self {
        if list.iter().any(|origin| origin == "*") {
            Self::Any
        } else {
            Self::Listed(list.to_vec())
        }
    }

    /// A page of the server's own, which is reached as `host`, is always let in.
    pub fn admit(&self, origin: &str, host: Option<&str>) -> bool {
        self.list(origin) || host.is_some_and(|host| is_own(origin, host))
    }

    fn list(&self, origin: &str) -> bool {
        let Self::Listed(listed) = self else { return true };
        listed.iter().any(|allowed| match allowed.strip_suffix(":*") {
            None => allowed == origin,
            Some(any_port) => origin.strip_prefix(any_port).is_some_and(is_port),
        })
    }
}

/// The origin as browsers send it: lower case, without a trailing slash.
/// `None` when it is none.
pub fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/').to_ascii_lowercase();
    if text == "*" {
        return Some(text);
    }
    let (scheme, authority) = text.split_once("://")?;
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(letter),
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let is_port = port.is_none_or(|port| port == "*" || port.parse::<u16>().is_ok());
    (is_scheme && is_host && is_port).then_some(text)
}

/// What may follow a host whose port does not matter.
fn is_port(rest: &str) -> bool {
    let digits = rest.strip_prefix(':').unwrap_or("80");
    (rest.is_empty() || rest.starts_with(':')) && digits.parse::<u16>().is_ok()
}

/// Whether the page came from this server. Only the authority is compared:
/// behind a proxy that ends TLS the scheme is not ours to know.
fn is_own(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}
