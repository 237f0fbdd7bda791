//! One server that holds data, and the connection for commands to it: one,
//! multiplexed, that comes back by itself.

use redis::aio::ConnectionManager;
use redis::{Cmd, Pipeline, RedisError, Value, cmd};

use crate::store::contract::StoreError;
use crate::store::redis::link::dial::Dial;
use crate::store::redis::link::endpoint::Address;
use crate::store::redis::link::within;

pub(crate) struct Node {
    address: Address,
    manager: ConnectionManager,
    dial: Dial,
}

impl Node {
    pub(super) fn new(dial: &Dial, address: Address) -> Result<Self, StoreError> {
        let manager = dial.manager(&address)?;
        Ok(Self { address, manager, dial: dial.clone() })
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    pub(super) async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        command.query_async(&mut self.manager.clone()).await
    }

    /// To a node that takes a slot over and has not got all of it yet.
    pub(super) async fn send_asking(&self, command: &Cmd) -> Result<Value, RedisError> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("ASKING").ignore().add_command(command.clone());
        let replies: Vec<Value> = pipeline.query_async(&mut self.manager.clone()).await?;
        Ok(replies.into_iter().next().unwrap_or(Value::Nil))
    }

    /// The outcome of each command.
    pub(super) async fn send_all(
        &self,
        pipeline: &mut Pipeline,
    ) -> Result<Vec<Result<Value, RedisError>>, RedisError> {
        pipeline.ignore_errors().query_async(&mut self.manager.clone()).await
    }

    /// A question to this very node, tried once.
    pub(crate) async fn ask(
        &self,
        name: &'static str,
        question: &Cmd,
    ) -> Result<Value, StoreError> {
        within(self.dial.command_timeout(), name, self.send(question)).await
    }

    pub(super) async fn is_primary(&self) -> Result<bool, StoreError> {
        let Value::Array(role) = self.ask("ROLE", &cmd("ROLE")).await? else { return Ok(false) };
        Ok(matches!(role.first(), Some(Value::BulkString(word)) if word == b"master"))
    }
}
