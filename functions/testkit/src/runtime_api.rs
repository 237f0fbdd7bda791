//! The Lambda Runtime API, as one function sees it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
//!
//! ```text
//! GET  /2018-06-01/runtime/invocation/next             waits for an event
//! POST /2018-06-01/runtime/invocation/<id>/response
//! POST /2018-06-01/runtime/invocation/<id>/error
//! POST /2018-06-01/runtime/init/error
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::Request;
use hyper::body::Incoming;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

use crate::http::{Answer, answer, body, serve};

pub(crate) struct RuntimeApi {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    events: mpsc::Sender<Invocation>,
}

/// What a function answered: `response` or `error`, and the body.
pub(crate) struct Posted {
    pub(crate) kind: String,
    pub(crate) body: String,
}

struct Shared {
    events: AsyncMutex<mpsc::Receiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Posted>>>,
    init_errors: Mutex<Vec<String>>,
}

struct Invocation {
    event: String,
    within: Duration,
    answer: oneshot::Sender<Posted>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Self {
        let (events, waiting) = mpsc::channel(16);
        let shared = Arc::new(Shared {
            events: AsyncMutex::new(waiting),
            waiting: Mutex::default(),
            init_errors: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let port = serve(move |request| Arc::clone(&serving).answer(request)).await;
        Self { port, shared, events }
    }

    /// `within`: until the deadline that the function is told.
    pub(crate) async fn invoke(&self, event: String, within: Duration) -> Posted {
        let (answer, posted) = oneshot::channel();
        let invocation = Invocation { event, within, answer };
        assert!(self.events.send(invocation).await.is_ok(), "the Runtime API is gone");
        posted.await.expect("an answer to the invocation")
    }

    pub(crate) fn init_errors(&self) -> Vec<String> {
        self.shared.init_errors.lock().expect("no panic").clone()
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match parts.as_slice() {
            ["2018-06-01", "runtime", "invocation", "next"] => self.next().await,
            ["2018-06-01", "runtime", "init", "error"] => {
                let text = String::from_utf8_lossy(&body(request).await).into_owned();
                self.init_errors.lock().expect("no panic").push(text);
                answer(202, "{}")
            }
            ["2018-06-01", "runtime", "invocation", id, kind @ ("response" | "error")] => {
                let body = String::from_utf8_lossy(&body(request).await).into_owned();
                let waiting = self.waiting.lock().expect("no panic").remove(*id);
                let Some(waiting) = waiting else { return answer(400, "unknown invocation") };
                let _ = waiting.send(Posted { kind: (*kind).to_owned(), body });
                answer(202, "{}")
            }
            _ => answer(404, "no such path"),
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the deadline is a time of the wall clock")]
    async fn next(&self) -> Answer {
        let next = self.events.lock().await.recv().await;
        let Some(Invocation { event, within, answer: posted }) = next else {
            return answer(500, "no more events");
        };
        // Ids are unique, whichever environment is called.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = format!("8476a536-e9f4-11e8-9739-{count:012x}");
        self.waiting.lock().expect("no panic").insert(id.clone(), posted);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let deadline_ms = (since_epoch + within).as_millis().to_string();
        let mut answer = answer(200, event);
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:poker:live";
        for (name, value) in [
            ("content-type", "application/json"),
            ("lambda-runtime-aws-request-id", id.as_str()),
            ("lambda-runtime-deadline-ms", deadline_ms.as_str()),
            ("lambda-runtime-invoked-function-arn", arn),
            ("lambda-runtime-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0"),
        ] {
            answer.headers_mut().insert(name, value.parse().expect("a header value"));
        }
        answer
    }
}
