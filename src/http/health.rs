//! Whether the process lives, and whether it should be sent clients.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::Failure;
use crate::http::call::{Answer, Api, Call, json};

#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`; anything else is a problem document.
    status: &'static str,
}

/// Says that the process lives: a failure means that it should be restarted.
#[utoipa::path(get, path = "/healthz",
    operation_id = "isAlive", tag = "server",
    responses(
        (status = 200, description = "The process lives", body = Health),
    ))]
pub(super) async fn alive(_: Arc<Api>, _: Call) -> Answer {
    Ok(json(StatusCode::OK, &Health { status: "ok" }))
}

/// Says whether new clients should be sent here: a failure means that a load
/// balancer should leave this instance out for now.
#[utoipa::path(get, path = "/readyz",
    operation_id = "isReady", tag = "server",
    responses(
        (status = 200, description = "Sessions can be opened and joined", body = Health),
        (status = 503, description = "SERVER_SHUTDOWN: on its way out; STATE_UNAVAILABLE: the store \
            cannot be reached"),
    ))]
pub(super) async fn ready(api: Arc<Api>, _: Call) -> Answer {
    if (api.is_draining)() {
        return Err(Failure::ServerShutdown { retry_after_s: RETRY_AFTER_S }.into());
    }
    if !api.table.is_ready().await {
        return Err(Failure::StateUnavailable { retry_after_s: RETRY_AFTER_S }.into());
    }
    Ok(json(StatusCode::OK, &Health { status: "ok" }))
}

const RETRY_AFTER_S: u32 = 1;

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use bytes::Bytes;
    use http::HeaderMap;

    use super::*;
    use crate::clock::Clock;
    use crate::connection::{Connections, Options, Upper};
    use crate::http::operators::Operators;
    use crate::http::page::Page;
    use crate::hub::Hub;
    use crate::identity::Keyring;
    use crate::store::MemoryStore;
    use crate::table::{Table, TableOptions};

    async fn status_of(is_draining: bool) -> StatusCode {
        let clock = Clock::system();
        let store = Arc::new(MemoryStore::new(clock, 1));
        let keys = Keyring::ephemeral([7; 32]);
        let options = TableOptions::default();
        let table = Table::new(Arc::clone(&store) as _, store, Hub::new(), keys, options);
        let upper = Upper::SocketIo(Arc::new(table.clone()));
        let operators = Operators {
            metrics: Arc::default(),
            connections: Connections::new(Options::default(), upper),
            table: table.clone(),
            store: "memory",
            advertised_address: String::new(),
            scraper: None,
            administrator: None,
        };
        let api = Api {
            table,
            started: clock.now(),
            operators: Arc::new(operators),
            is_draining: Box::new(move || is_draining),
            clock,
            page: Page::new(&[]),
            engine_path: String::new(),
        };
        let call = Call {
            headers: HeaderMap::new(),
            query: String::new(),
            session: String::new(),
            body: Bytes::new(),
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        };
        match ready(Arc::new(api), call).await {
            Ok(response) => response.status(),
            Err(problem) => problem.status(),
        }
    }

    #[tokio::test]
    async fn nobody_is_sent_to_an_instance_that_drains() {
        assert_eq!(status_of(false).await, StatusCode::OK);
        assert_eq!(status_of(true).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
