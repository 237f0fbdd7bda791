//! What went wrong, as answers. The documents in them, and which failure has
//! which status, are `api::problem`'s.

use std::borrow::Cow;

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::api::Failure;
use crate::api::field::BadField;
pub(super) use crate::api::problem::ProblemDocument;
use crate::poker::refusal::Refusal;
use crate::transport::body::{Body, BodyError};

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    document: Box<ProblemDocument>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing at this path")
    }

    pub(super) fn method_not_allowed(allowed: HeaderValue) -> Self {
        let code = "METHOD_NOT_ALLOWED";
        let detail = "This path does not take this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, code, detail).with(ALLOW, allowed)
    }

    pub(super) fn not_json() -> Self {
        let detail = "The body must be JSON (Content-Type: application/json), not encoded further";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", detail)
    }

    pub(super) fn origin_not_allowed() -> Self {
        let detail = "Pages of this origin may not change anything here";
        Self::new(StatusCode::FORBIDDEN, "ORIGIN_NOT_ALLOWED", detail)
    }

    /// Nobody said who they are. RFC 6750, §3: then no `error` is named.
    pub(super) fn token_missing() -> Self {
        Self { header: challenge("Bearer realm=\"cardroom\""), ..invalid_token() }
    }

    /// This is for those who run the server.
    pub(super) fn no_operator() -> Self {
        let detail = "This needs the operators' token";
        let problem = Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", detail);
        Self { header: challenge("Bearer realm=\"cardroom operators\""), ..problem }
    }

    /// A defect of ours that was logged where it happened.
    pub(super) fn broken() -> Self {
        Failure::Internal { id: 0 }.into()
    }

    pub(super) fn of_body(error: BodyError, bytes_max: usize) -> Self {
        match error {
            BodyError::TooLarge => Failure::PayloadTooLarge { bytes_max }.into(),
            BodyError::TimedOut => Self::new(
                StatusCode::REQUEST_TIMEOUT,
                "REQUEST_TIMEOUT",
                "The body did not arrive in time",
            ),
            BodyError::Aborted => {
                BadField { field: "".into(), problem: "was cut short".into() }.into()
            }
        }
    }

    pub(super) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn into_response(self) -> Response<Body> {
        // Only a map with keys that are no strings could fail, and there is none.
        let body = serde_json::to_vec(&self.document).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.document.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }

    fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let document = ProblemDocument::new(status.as_u16(), code, detail);
        Self { status, document: Box::new(document), header: None }
    }

    fn with(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let document = ProblemDocument::from(&failure);
        let status = StatusCode::from_u16(document.status);
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            header: document.challenge().and_then(challenge),
            document: Box::new(document),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Failure::from(refusal).into()
    }
}

impl From<BadField> for Problem {
    fn from(bad: BadField) -> Self {
        Failure::from(bad).into()
    }
}

fn invalid_token() -> Problem {
    Refusal::InvalidPlayerToken.into()
}

const fn challenge(value: &'static str) -> Option<(HeaderName, HeaderValue)> {
    Some((WWW_AUTHENTICATE, HeaderValue::from_static(value)))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::api::problem::status;
    use crate::poker::ids::{RoundId, StoryId};
    use crate::poker::refusal::Required;

    async fn answer(problem: Problem) -> (http::response::Parts, serde_json::Value) {
        let (head, body) = problem.into_response().into_parts();
        let body = body.collect().await.expect("in memory").to_bytes();
        (head, serde_json::from_slice(&body).expect("JSON"))
    }

    #[test]
    fn every_kind_of_failure_has_its_status() {
        let refused = |refusal: Refusal| Failure::Refused(refusal);
        for (failure, expected) in [
            (BadField::missing("name").into(), 400),
            (refused(Refusal::NameRequired), 400),
            (refused(Refusal::InvalidPlayerToken), 401),
            (refused(Refusal::PasswordInvalid), 403),
            (refused(Refusal::Forbidden { required: Required::Host }), 403),
            (refused(Refusal::SessionNotFound), 404),
            (refused(Refusal::SessionFull { max_players: 2 }), 409),
            (refused(Refusal::StaleRound { round: RoundId(2) }), 409),
            (refused(Refusal::SessionExpired), 410),
            (refused(Refusal::SessionEnded), 410),
            (Failure::PayloadTooLarge { bytes_max: 1 }, 413),
            (refused(Refusal::SessionLocked), 423),
            (Failure::RateLimited { retry_after_s: 3 }, 429),
            (Failure::Internal { id: 1 }, 500),
            (Failure::StateUnavailable { retry_after_s: 3 }, 503),
            (Failure::ServerShutdown { retry_after_s: 3 }, 503),
        ] {
            assert_eq!(status(&failure), expected, "{}", failure.code());
        }
    }

    #[tokio::test]
    async fn a_problem_is_a_document_with_the_code_of_the_catalogue() {
        let (head, body) = answer(BadField::missing("playerName").within("settings").into()).await;
        assert_eq!(head.status, 400);
        assert_eq!(head.headers[CONTENT_TYPE], "application/problem+json");
        let expected = serde_json::json!({
            "type": "urn:cardroom:problem:BAD_REQUEST",
            "title": "Bad request",
            "status": 400,
            "detail": "settings.playerName is missing",
            "code": "BAD_REQUEST",
            "field": "settings.playerName",
        });
        assert_eq!(body, expected);

        let stale = Refusal::StaleStory { current_story: StoryId(4), round: RoundId(7) };
        let (_, body) = answer(stale.into()).await;
        let details = serde_json::json!({ "currentStoryId": "s4", "roundId": 7 });
        assert_eq!(body["details"], details);
    }

    #[tokio::test]
    async fn headers_say_what_to_do_next() {
        let (head, body) = answer(Failure::RateLimited { retry_after_s: 42 }.into()).await;
        assert_eq!(head.headers[RETRY_AFTER], "42");
        assert_eq!(body["retryAfter"], 42);

        let (head, body) = answer(Problem::token_missing()).await;
        assert_eq!(head.headers[WWW_AUTHENTICATE], "Bearer realm=\"cardroom\"");
        assert_eq!(body["code"], "INVALID_PLAYER_TOKEN");

        let (head, _) = answer(invalid_token()).await;
        let challenge = "Bearer realm=\"cardroom\", error=\"invalid_token\"";
        assert_eq!(head.headers[WWW_AUTHENTICATE], challenge);
    }
}
