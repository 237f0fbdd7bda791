//! The connection for commands: one, multiplexed, that comes back by itself.
//!
//! Every call has a name and a time-out. A call whose connection broke is
//! made once more: each of them is safe to repeat, a commit because its
//! entries have ids of their own (see `reply::commit_reply`).

use std::future::Future;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, Pipeline, RedisError, ScriptInvocation, Value};
use tokio::time::timeout;

use crate::store::contract::StoreError;

/// Attempts to connect that one command may wait for, and what lies between
/// them at the most; the time-out of the command ends the waiting anyway.
const RECONNECTS_MAX: usize = 4;
const RECONNECT_DELAY_MIN: Duration = Duration::from_millis(20);
const RECONNECT_DELAY_MAX: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub(super) struct Link {
    manager: ConnectionManager,
    command_timeout: Duration,
}

impl Link {
    pub(super) async fn connect(
        client: Client,
        connect_timeout: Duration,
        command_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(RECONNECTS_MAX)
            .set_min_delay(RECONNECT_DELAY_MIN)
            .set_max_delay(RECONNECT_DELAY_MAX)
            .set_connection_timeout(Some(connect_timeout))
            .set_response_timeout(Some(command_timeout));
        let connecting = ConnectionManager::new_with_config(client, config);
        let manager = within(connect_timeout, "connect", connecting).await?;
        Ok(Self { manager, command_timeout })
    }

    /// Runs a script; loads it first where the server does not know it.
    pub(super) async fn script(
        &self,
        name: &'static str,
        invocation: &ScriptInvocation<'_>,
    ) -> Result<Value, StoreError> {
        let (mut manager, mut again) = (self.manager.clone(), self.manager.clone());
        let calling =
            twice(invocation.invoke_async(&mut manager), invocation.invoke_async(&mut again));
        within(self.command_timeout, name, calling).await
    }

    pub(super) async fn command(
        &self,
        name: &'static str,
        command: &Cmd,
    ) -> Result<Value, StoreError> {
        self.command_within(self.command_timeout, name, command).await
    }

    pub(super) async fn command_within(
        &self,
        limit: Duration,
        name: &'static str,
        command: &Cmd,
    ) -> Result<Value, StoreError> {
        let (mut manager, mut again) = (self.manager.clone(), self.manager.clone());
        let calling = twice(command.query_async(&mut manager), command.query_async(&mut again));
        within(limit, name, calling).await
    }

    pub(super) async fn pipeline(
        &self,
        name: &'static str,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, StoreError> {
        let (mut manager, mut again) = (self.manager.clone(), self.manager.clone());
        let calling = twice(pipeline.query_async(&mut manager), pipeline.query_async(&mut again));
        within(self.command_timeout, name, calling).await
    }
}

/// Again if the connection broke; a reply that is late is not waited for twice.
async fn twice<T>(
    call: impl Future<Output = Result<T, RedisError>>,
    again: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    match call.await {
        Err(error) if error.is_io_error() && !error.is_timeout() => again.await,
        result => result,
    }
}

/// The result of `call`, or why there is none, under its name.
pub(super) async fn within<T>(
    limit: Duration,
    name: &'static str,
    call: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, StoreError> {
    match timeout(limit, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(store_error(name, &error)),
        Err(_) => Err(StoreError::Unavailable(format!(
            "{name}: no reply within {} ms",
            limit.as_millis()
        ))),
    }
}

/// The kind of the error and the server's code; its text might quote what was
/// sent.
fn store_error(name: &'static str, error: &RedisError) -> StoreError {
    match error.code() {
        Some("OOM") => StoreError::Full,
        Some(code) => StoreError::Unavailable(format!("{name}: {code} ({})", error.category())),
        None => StoreError::Unavailable(format!("{name}: {}", error.category())),
    }
}
