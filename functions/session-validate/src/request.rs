//! What may be asked, before it is known who asks: the path, the method, the
//! origin and the body, in the order in which the server's router looks.

use cardroom::api::Failure;
use cardroom::api::client_event::{DEPTH_MAX, depth, object};
use cardroom::api::field::BadField;
use cardroom::api::problem::ProblemDocument;
use cardroom::api::rest::TokenCheck;
use cardroom::identity::Origins;
use functions_support::answer::{self, Answer};
use lambda_http::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use lambda_http::http::{HeaderValue, Method};
use lambda_http::{Request, RequestExt};

/// A session id, a token and the quotes around them take a quarter of it.
pub(crate) const BODY_BYTES_MAX: usize = 8 * 1_024;
/// Stages of API Gateway stand in front of it.
const VALIDATE: &str = "/api/v1/sessions/validate";
const HEALTH: &str = "/healthz";

/// What is asked.
pub(crate) enum Asked {
    /// Whether the function answers at all.
    Health,
    Validation(TokenCheck),
}

/// The question in a request, or the answer that ends it here.
pub(crate) fn read(request: &Request, origins: &Origins) -> Result<Asked, Box<Answer>> {
    let path = request.raw_http_path();
    let headers = request.headers();
    let method = request.method();
    if path.ends_with(HEALTH) {
        return match *method {
            Method::GET | Method::HEAD => Ok(Asked::Health),
            Method::OPTIONS => Err(answer::options("GET, HEAD, OPTIONS", headers).into()),
            _ => Err(answer::method_not_allowed("GET, HEAD, OPTIONS").into()),
        };
    }
    if !path.ends_with(VALIDATE) {
        return Err(answer::no_such_path().into());
    }
    match *method {
        Method::POST => {}
        Method::OPTIONS => return Err(answer::options("POST, OPTIONS", headers).into()),
        _ => return Err(answer::method_not_allowed("POST, OPTIONS").into()),
    }
    if !answer::is_allowed(origins, headers) {
        let detail = "Pages of this origin may not change anything here";
        return Err(refused(403, "ORIGIN_NOT_ALLOWED", detail));
    }
    if !is_plain_json(headers) {
        let detail = "The body must be JSON (Content-Type: application/json), not encoded further";
        return Err(refused(415, "UNSUPPORTED_MEDIA_TYPE", detail));
    }
    read_body(request.body().as_ref()).map(Asked::Validation).map_err(|failure| {
        let answer = answer::failure(&failure);
        answer.into()
    })
}

fn read_body(body: &[u8]) -> Result<TokenCheck, Failure> {
    if BODY_BYTES_MAX < body.len() {
        return Err(Failure::PayloadTooLarge { bytes_max: BODY_BYTES_MAX });
    }
    if DEPTH_MAX < depth(body) {
        let problem = format!("nests deeper than {DEPTH_MAX} levels");
        return Err(BadField { field: "".into(), problem: problem.into() }.into());
    }
    // The parser writes into its input.
    Ok(object(&mut body.to_vec())?)
}

/// A form can only be sent as something else: what says it is JSON was
/// written by a program, or by a page that a preflight let through.
fn is_plain_json(headers: &HeaderMap) -> bool {
    let given = headers.get(CONTENT_TYPE).map(HeaderValue::to_str);
    let essence = given.and_then(Result::ok).and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
        && !headers.contains_key(CONTENT_ENCODING)
}

fn refused(status: u16, code: &'static str, detail: &'static str) -> Box<Answer> {
    answer::problem(&ProblemDocument::new(status, code, detail)).into()
}
