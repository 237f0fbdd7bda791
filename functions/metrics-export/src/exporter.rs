//! From an invocation to what it does.

use std::io::Write as _;
use std::sync::Arc;

use cardroom::api::Failure;
use cardroom::clock::Clock;
use cardroom::identity::Origins;
use cardroom::store::{Directory, RedisStore, StoreError};
use functions_support::answer::{self, Answer};
use functions_support::environment::{BadSetting, Environment};
use functions_support::program::before_deadline;
use functions_support::secrets::Secrets;
use functions_support::sessions::{Away, Sessions};
use lambda_http::http::Method;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt};
use serde_json::{Value, json};

use crate::emf::{self, Identity};
use crate::event::{self, Wish};
use crate::fleet::{Fleet, SILENT_MS};
use crate::{drain, prometheus};

pub(crate) const NAMESPACE: &str = "METRICS_NAMESPACE";
pub(crate) const SERVICE: &str = "METRICS_SERVICE";

/// Schedules call once a minute, sometimes twice, and not to the second.
const TURN_MS: u64 = 40_000;
const RETRY_AFTER_S: u32 = 5;
const METHODS: &str = "GET, HEAD, OPTIONS";

pub(crate) struct Exporter {
    identity: Identity,
    origins: Origins,
    sessions: Sessions,
}

impl Exporter {
    pub(crate) fn new(environment: Environment) -> Result<Self, BadSetting> {
        let name = |name| environment.get(name).unwrap_or("cardroom").to_owned();
        let identity = Identity { namespace: name(NAMESPACE), service: name(SERVICE) };
        let secrets = Arc::new(Secrets::new(environment.clone()));
        let sessions = Sessions::new(&environment, secrets)?;
        Ok(Self { identity, origins: environment.origins()?, sessions })
    }

    pub(crate) async fn answer(&self, request: Request) -> Result<Answer, Error> {
        let id = request.lambda_context_ref().map_or("", |context| context.request_id.as_str());
        let late = "the time that Lambda gives is over";
        match request.request_context_ref() {
            Some(RequestContext::PassThrough) | None => {
                let done = before_deadline(&request, self.heed(request.body(), id)).await;
                Ok(answer::json(&done.ok_or(late)??))
            }
            Some(_) => {
                let page = before_deadline(&request, self.page(&request)).await;
                let mut answer = page.ok_or(late)?;
                answer::decorate(&mut answer, &self.origins, request.headers(), id);
                Ok(answer)
            }
        }
    }

    async fn heed(&self, event: &Body, request: &str) -> Result<Value, Error> {
        let text = str::from_utf8(event.as_ref()).unwrap_or_default();
        match event::read(text)? {
            Wish::Export => Ok(json!({ "exported": self.export(request).await? })),
            Wish::Drain { task, event } => {
                let told = self.sessions.ask(|store| drain::tell(store, &task)).await;
                let told = told.inspect_err(|error| tracing::error!(%error, "nobody was told"))?;
                match told {
                    Some(id) => tracing::info!(event.id = %event, instance = %id, "asked to drain"),
                    // Gone already, or it never came: SIGTERM will tell it.
                    None => tracing::warn!(event.id = %event, "no instance runs as that task"),
                }
                Ok(json!({ "draining": told.map(|id| id.to_string()) }))
            }
            Wish::Nothing => Ok(json!({ "ignored": true })),
        }
    }

    /// Whether it was this invocation's turn.
    async fn export(&self, request: &str) -> Result<bool, Error> {
        let now = Clock::system().now();
        let turn = async |store: Arc<RedisStore>| {
            if store.take_turn("metrics-export", request, TURN_MS).await? {
                fleet(store).await.map(Some)
            } else {
                Ok(None)
            }
        };
        match self.sessions.ask(turn).await {
            Ok(Some(fleet)) => {
                say(&emf::figures(&self.identity, &fleet, now))?;
                tracing::info!(instances = fleet.instances.len(), "exported");
                Ok(true)
            }
            Ok(None) => {
                tracing::info!("somebody else has exported just now");
                Ok(false)
            }
            Err(error) => {
                say(&emf::failure(&self.identity, now))?;
                tracing::error!(%error, "the figures cannot be read");
                Err(error.into())
            }
        }
    }

    async fn page(&self, request: &Request) -> Answer {
        if !request.raw_http_path().ends_with("/metrics") {
            return answer::no_such_path();
        }
        match *request.method() {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => return answer::options(METHODS, request.headers()),
            _ => return answer::method_not_allowed(METHODS),
        }
        let seen: Result<Fleet, Away> = self.sessions.ask(fleet).await;
        match seen {
            Ok(fleet) => answer::text(prometheus::CONTENT_TYPE, prometheus::page(&fleet)),
            Err(error) => {
                tracing::warn!(%error, "the figures cannot be read");
                answer::failure(&Failure::StateUnavailable { retry_after_s: RETRY_AFTER_S })
            }
        }
    }
}

async fn fleet(store: Arc<RedisStore>) -> Result<Fleet, StoreError> {
    // Leases run by Redis' clock, and ours may have stood still.
    store.ask_time().await?;
    let instances = store.instances().await?;
    let silent = store.silent_instances(SILENT_MS).await?;
    Ok(Fleet { instances, silent })
}

/// To CloudWatch: a line of its own on standard output.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
