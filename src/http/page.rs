//! The web page: its files are in the binary (`build.rs`), each with the forms
//! the build has packed it in.
//!
//! The page asks nobody but its own server, runs no script but its own, and
//! writes no markup from text: the headers say so, so that a defect in it
//! stays a defect and becomes no hole.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::transport::body::Body;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// One file of the built page.
struct File {
    /// With the slash at its beginning.
    path: &'static str,
    media_type: &'static str,
    /// Differs when the content does.
    tag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

/// The page as this server gives it out.
#[derive(Debug, Clone)]
pub struct Page {
    policy: HeaderValue,
}

impl Page {
    /// `frame_ancestors`: origins whose pages may embed this one; nobody when
    /// there are none.
    pub fn new(frame_ancestors: &[String]) -> Self {
        let ancestors = match frame_ancestors {
            [] => "'none'".to_owned(),
            origins => origins.join(" "),
        };
        let policy = HeaderValue::try_from(format!("{POLICY}; frame-ancestors {ancestors}"));
        // The configuration takes only origins, which are ASCII.
        Self { policy: policy.unwrap_or(HeaderValue::from_static(POLICY_ALONE)) }
    }

    /// The document; `None` when this build has no page.
    pub(super) fn document(&self, request: &HeaderMap) -> Option<Response<Body>> {
        self.file("/index.html", request)
    }

    pub(super) fn file(&self, path: &str, request: &HeaderMap) -> Option<Response<Body>> {
        let file = FILES.iter().find(|file| file.path == path)?;
        let (coding, bytes) = file.form(request);
        let tag = format!("\"{}{}\"", file.tag, coding.map_or("", |_| "-z"));
        let is_known = request
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .any(|known| known.trim().trim_start_matches("W/") == tag);
        let mut response = Response::new(Body::default());
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            *response.body_mut() = Body::new(Bytes::from_static(bytes));
        }
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(file.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(file.caching()));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        headers.insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
        if let Ok(tag) = HeaderValue::try_from(tag) {
            headers.insert(ETAG, tag);
        }
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        Some(response)
    }
}

impl File {
    /// The smallest form that the client takes, and the name of its coding.
    fn form(&self, request: &HeaderMap) -> (Option<&'static str>, &'static [u8]) {
        let packed = [("br", self.brotli), ("gzip", self.gzip)];
        packed
            .into_iter()
            .find_map(|(coding, bytes)| {
                Some((Some(coding), bytes.filter(|_| accepts(request, coding))?))
            })
            .unwrap_or((None, self.plain))
    }

    /// The names below `/assets/` hold a hash of the content.
    fn caching(&self) -> &'static str {
        if self.path.starts_with("/assets/") {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        }
    }
}

fn accepts(request: &HeaderMap, coding: &str) -> bool {
    request
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|offer| {
            let (name, quality) = offer.split_once(';').unwrap_or((offer, ""));
            let is_refused = matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            name.trim().eq_ignore_ascii_case(coding) && !is_refused
        })
}

const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; object-src 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";
const POLICY_ALONE: &str = "default-src 'self'; frame-ancestors 'none'";

/// Windows that others open on this page, or it on others, cannot reach in.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: File = File {
        path: "/assets/page-1234.js",
        media_type: "text/javascript; charset=utf-8",
        tag: "0",
        plain: b"plain",
        gzip: Some(b"gzip"),
        brotli: Some(b"br"),
    };

    fn accepting(codings: &'static str) -> HeaderMap {
        [(ACCEPT_ENCODING, HeaderValue::from_static(codings))].into_iter().collect()
    }

    #[test]
    fn the_smallest_form_that_is_taken() {
        assert_eq!(SCRIPT.form(&accepting("gzip, deflate, br")), (Some("br"), b"br".as_slice()));
        assert_eq!(SCRIPT.form(&accepting("gzip, br;q=0")).0, Some("gzip"));
        assert_eq!(SCRIPT.form(&HeaderMap::new()), (None, b"plain".as_slice()));
    }

    #[test]
    fn hashed_names_are_kept_and_others_asked_for_again() {
        assert!(SCRIPT.caching().contains("immutable"));
        assert_eq!(File { path: "/index.html", ..SCRIPT }.caching(), "no-cache");
    }

    #[test]
    fn frames_are_for_those_who_are_named() {
        let policy = |origins: &[&str]| {
            let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
            Page::new(&origins).policy.to_str().map(str::to_owned).unwrap_or_default()
        };
        assert!(policy(&[]).ends_with("; frame-ancestors 'none'"));
        let some = policy(&["https://wiki.example.org", "https://b.example:8443"]);
        assert!(
            some.ends_with("; frame-ancestors https://wiki.example.org https://b.example:8443")
        );
    }
}
