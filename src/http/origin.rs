//! Whether a page may change something: the `Origin` of its request.
//!
//! Nobody is known by a cookie, so a foreign page cannot act for its visitor;
//! this keeps it from filling the house through its visitors' addresses.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

use crate::connection::Origins;
use crate::transport::cors;

/// A request without `Origin` is no page's. Two of them are nobody's.
pub(super) fn may_change(origins: &Origins, headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(ORIGIN).iter();
    match (given.next(), given.next()) {
        (None, _) => true,
        (Some(origin), None) => cors::is_allowed(origins, Some(origin)) || is_own(headers),
        (Some(_), Some(_)) => false,
    }
}

/// Whether the page came from this server. Only the authority is compared:
/// behind a proxy that ends TLS the scheme is not ours to know.
fn is_own(headers: &HeaderMap) -> bool {
    let [origin, host] = [ORIGIN, HOST].map(|name| headers.get(name)?.to_str().ok());
    let authority = origin.and_then(|origin| {
        origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
    });
    matches!((authority, host), (Some(one), Some(other)) if one.eq_ignore_ascii_case(other))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn admits(headers: &[(HeaderName, &'static str)]) -> bool {
        let origins = Origins::Listed(vec!["https://good.example".to_owned()]);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            });
        may_change(&origins, &headers)
    }

    #[test]
    fn listed_and_own_pages_and_programs_may() {
        assert!(admits(&[]));
        assert!(admits(&[(ORIGIN, "https://good.example")]));
        assert!(admits(&[(HOST, "cards.example:3000"), (ORIGIN, "http://cards.example:3000")]));
        assert!(admits(&[(HOST, "cards.example"), (ORIGIN, "https://cards.example")]));
    }

    #[test]
    fn everybody_else_may_not() {
        for origin in [
            "https://evil.example",
            "https://good.example.evil",
            "https://evil.good.example",
            "http://good.example",
            "https://good.example:8443",
            "HTTPS://GOOD.EXAMPLE",
            "null",
            "",
            "https://",
            "cards.example",
            "ftp://cards.example",
        ] {
            assert!(!admits(&[(HOST, "cards.example"), (ORIGIN, origin)]), "{origin}");
        }
        let twice = (ORIGIN, "https://good.example");
        assert!(!admits(&[twice.clone(), twice]));
        assert!(!admits(&[(ORIGIN, "https://cards.example")]), "no Host to compare with");
    }
}
