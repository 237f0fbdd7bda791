//! This instance and the others, for those who run them.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::call::{Answer, Api, Call, json};
use crate::http::problem::Problem;
use crate::poker::ids::Millis;
use crate::store::directory::{Figures, InstanceRecord};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    #[serde(flatten)]
    instance: InstanceStatus,
    version: &'static str,
    uptime_seconds: u64,
    store: StoreStatus,
    /// All instances whose lease runs, this one included, with their figures
    /// as of their last sign of life; `null` when the store cannot say.
    instances: Option<Vec<InstanceStatus>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceStatus {
    /// Drawn at the start; 16 hex digits.
    id: String,
    /// `host:port` for the other instances.
    address: String,
    /// Milliseconds since 1970.
    #[schema(value_type = u64)]
    started_at: Millis,
    figures: Figures,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StoreStatus {
    /// `redis`, or `memory` for the embedded one.
    kind: &'static str,
    /// Whether commands would be accepted now.
    ready: bool,
}

/// How this instance is, and which others there are.
#[utoipa::path(get, path = "/api/v1/status",
    operation_id = "status", tag = "operators", security(("operatorToken" = [])),
    responses(
        (status = 200, description = "Whether or not the store can be reached", body = Status),
        (status = 401, description = "UNAUTHORIZED: not the token `admin.token`"),
        (status = 404, description = "NOT_FOUND: no `admin.token` is configured"),
    ))]
pub(super) async fn show(api: Arc<Api>, call: Call) -> Answer {
    let operators = &api.operators;
    let administrator = operators.administrator.as_ref().ok_or_else(Problem::no_such_path)?;
    administrator.check(&call.headers)?;
    let table = &operators.table;
    let instances = table.directory().instances().await.ok();
    let now = api.clock.now();
    let status = Status {
        instance: InstanceStatus {
            id: table.instance().to_string(),
            address: operators.advertised_address.clone(),
            started_at: api.started,
            figures: Figures { updated_at: now, ..operators.metrics.figures() },
        },
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: now.since(api.started) / 1_000,
        store: StoreStatus { kind: operators.store, ready: table.is_ready().await },
        instances: instances.map(|all| all.into_iter().map(InstanceStatus::from).collect()),
    };
    Ok(json(StatusCode::OK, &status))
}

impl From<InstanceRecord> for InstanceStatus {
    fn from(record: InstanceRecord) -> Self {
        Self {
            id: record.id.to_string(),
            address: record.address,
            started_at: record.started,
            figures: record.figures,
        }
    }
}
