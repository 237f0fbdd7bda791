//! From a request to its answer.

use cardroom::identity::Origins;
use functions_support::answer::{self, Answer};
use functions_support::environment::{BadSetting, Environment};
use functions_support::program::before_deadline;
use lambda_http::request::RequestContext;
use lambda_http::{Error, Request, RequestExt};
use serde_json::json;

use crate::request::{self, Asked};
use crate::validation::{self, Unknowable, Validation};

pub(crate) struct Answers {
    origins: Origins,
    validation: Validation,
}

impl Answers {
    pub(crate) fn new(environment: Environment) -> Result<Self, BadSetting> {
        Ok(Self { origins: environment.origins()?, validation: Validation::new(environment)? })
    }

    /// An error where the event is no HTTP request at all: nobody waits for an
    /// answer to that.
    pub(crate) async fn to(&self, request: Request) -> Result<Answer, Error> {
        if matches!(request.request_context_ref(), Some(RequestContext::PassThrough) | None) {
            return Err("the event is no HTTP request".into());
        }
        let mut answer = match request::read(&request, &self.origins) {
            Ok(Asked::Health) => answer::json(&json!({ "status": "ok" })),
            Ok(Asked::Validation(check)) => {
                let outcome = before_deadline(&request, self.validation.of(&check)).await;
                match outcome.unwrap_or_else(|| Err(validation::unavailable(Unknowable::Deadline)))
                {
                    Ok(valid) => answer::json(&valid),
                    Err(failure) => answer::failure(&failure),
                }
            }
            Err(answer) => *answer,
        };
        let id = request.lambda_context_ref().map_or("", |context| context.request_id.as_str());
        answer::decorate(&mut answer, &self.origins, request.headers(), id);
        tracing::info!(request.id = id, status = answer.status().as_u16(), "answered");
        Ok(answer)
    }
}
