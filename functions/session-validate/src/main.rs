//! Whether a player token opens a seat of an open session: the same question
//! as `POST /api/v1/sessions/validate` of the server, with the same answers,
//! for those who ask often and should not burden the instances.
//!
//! ```text
//! POST /api/v1/sessions/validate   {"sessionId": "…", "playerToken": "cr1.…"}
//! GET  /healthz                    for load balancers; asks nobody
//! ```
//!
//! The token is judged first, by its signature; only for what we have signed
//! ourselves Redis is asked, once. Who asks again within five seconds hears the
//! same: so long a removed player's token may still be called valid. While
//! Redis is away the answer is 503, never yes and never no.

mod answers;
mod guesses;
mod recent;
mod request;
mod validation;

use std::process::ExitCode;
use std::sync::Arc;

use functions_support::environment::{REDIS_URL, Reads, TOKEN_KEYS};
use functions_support::program;

use crate::answers::Answers;

fn main() -> ExitCode {
    let reads = Reads { plain: &[], secret: &[REDIS_URL, TOKEN_KEYS] };
    program::run(
        reads,
        |environment| Answers::new(environment).map(Arc::new),
        async |answers: Arc<Answers>, request| answers.to(request).await,
    )
}
