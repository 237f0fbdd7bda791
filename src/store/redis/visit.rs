//! A store for who only looks in: a function that is frozen between two calls,
//! takes no part in the sessions and is on a short leash.

use redis::{Value, cmd};

use crate::store::contract::StoreError;
use crate::store::redis::check::ConnectError;
use crate::store::redis::link::Patience;
use crate::store::redis::{RedisStore, doorbell};

impl RedisStore {
    /// Connects without the checks of an instance's start: nothing is followed
    /// and nothing runs beside the calls, so a subscription hears nothing, and
    /// the clock is as good as [`Self::ask_time`] was lately. Durability is
    /// not waited for, whatever the options say.
    pub async fn visit(options: super::RedisOptions) -> Result<Self, ConnectError> {
        let patience = Patience {
            connect: options.connect_timeout,
            reply: options.command_timeout,
            // Any call may be the first to its node.
            call: options.connect_timeout + options.command_timeout,
        };
        let link = Self::unchecked_link(&options, patience).await?;
        let (inner, _) = Self::inner(link, None, options);
        let visitor = Self { inner, listener: None };
        visitor.ask_time().await?;
        Ok(visitor)
    }

    /// Sets the clock by Redis'.
    pub async fn ask_time(&self) -> Result<(), StoreError> {
        doorbell::ask_time(&self.inner.link, &self.inner.clock).await
    }

    /// How many instances' leases have ended within the last `within_ms`
    /// without their having retired.
    pub async fn silent_instances(&self, within_ms: u64) -> Result<u64, StoreError> {
        let now = self.inner.clock.now();
        let mut count = cmd("ZCOUNT");
        count.arg(self.inner.keys.instances());
        count.arg(now.saturating_sub_ms(within_ms).0).arg(now.0);
        match self.inner.link.command("silent instances", &count).await? {
            Value::Int(count) => Ok(u64::try_from(count).unwrap_or_default()),
            _ => Err(super::broken("no count")),
        }
    }

    /// Whether it is the caller's turn to do what is to be done once in
    /// `for_ms`, whoever else is called for it. `who` may ask again, when it
    /// has not heard the answer.
    pub async fn take_turn(
        &self,
        what: &'static str,
        who: &str,
        for_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut take = cmd("SET");
        take.arg(self.inner.keys.turn(what)).arg(who);
        take.arg("NX").arg("GET").arg("PX").arg(for_ms);
        Ok(match self.inner.link.command("take a turn", &take).await? {
            Value::Nil => true,
            Value::BulkString(holder) => holder == who.as_bytes(),
            _ => false,
        })
    }
}
