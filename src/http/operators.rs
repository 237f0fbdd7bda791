//! Those who run the server, and what they may see: how much of everything,
//! never of whom.

use std::sync::Arc;

use http::header::{ACCEPT, HeaderMap};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::connection::Connections;
use crate::http::bearer;
use crate::http::problem::Problem;
use crate::metrics::{Format, Metrics, Page};
use crate::table::Table;

/// What they look at, and by what they are known.
pub struct Operators {
    pub metrics: Arc<Metrics>,
    pub connections: Connections,
    pub table: Table,
    /// `redis` or `memory`.
    pub store: &'static str,
    pub advertised_address: String,
    /// For `/metrics`.
    pub scraper: Option<OperatorToken>,
    /// For `/api/v1/status`.
    pub administrator: Option<OperatorToken>,
}

/// A secret that a request carries as `Authorization: Bearer …`. Kept as its
/// digest, and compared in constant time.
pub struct OperatorToken([u8; 32]);

impl OperatorToken {
    /// `None` for the empty text: then there is no such token.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(Sha256::digest(text).into()))
    }

    fn is(&self, text: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(text).into();
        digest.ct_eq(&self.0).into()
    }

    /// Whether a request may.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match bearer::token(headers) {
            Ok(token) if self.is(token) => Ok(()),
            Ok(_) | Err(_) => Err(Problem::no_operator()),
        }
    }
}

impl Operators {
    /// Everything that is counted, in the format that is asked for. Reads the
    /// files of the process and looks at each connection: not for the hot path.
    pub(super) fn page(&self, headers: &HeaderMap) -> (Format, String) {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let format = Format::accepted(accept.unwrap_or_default());
        let mut page = Page::new(format);
        self.metrics.write(&mut page);

        page.gauge("cardroom_store_info", "1, with the kind of the store.");
        page.sample(&[("store", self.store)], 1);
        page.gauge("cardroom_outbox_bytes", "Bytes that wait for clients to read them.");
        page.sample(&[], self.connections.outbox_bytes());
        let recoveries = self.table.recoveries();
        page.counter(
            "cardroom_recoveries",
            "Sockets that came back with what they missed, or not.",
        );
        let recovered = [("result", "recovered"), ("reason", "none")];
        page.sample(&recovered, recoveries.recovered());
        for (failure, number) in recoveries.failed() {
            page.sample(&[("result", "failed"), ("reason", failure.as_str())], number);
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            page.gauge("cardroom_tasks", "Tasks of the runtime that are alive.");
            page.sample(&[], runtime.metrics().num_alive_tasks());
        }
        (format, page.finish())
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::AUTHORIZATION;

    use super::*;

    #[test]
    fn a_token_is_known_by_all_of_itself() {
        let token = OperatorToken::new("0123456789abcdef").expect("a token");
        let asks = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            token.check(&headers).is_ok()
        };
        assert!(asks("Bearer 0123456789abcdef"));
        assert!(!asks("Bearer 0123456789abcde"));
        assert!(!asks("Bearer 0123456789abcdef0"));
        assert!(!asks("Bearer "));
        assert!(!asks("0123456789abcdef"));
        assert!(token.check(&HeaderMap::new()).is_err());
        assert!(OperatorToken::new("").is_none());
    }
}
