//! Putting sessions back into a Redis that has lost them: it was restarted
//! without persistence, or emptied.
//!
//! Lost is what has neither its hash nor its tombstone, which outlives it.
//! The instances that serve the session find out by the next command, by the
//! head check, or when they subscribe again, and each puts back what it has.
//! The first one is believed at once, and the news of it rings everywhere;
//! whoever has more replaces it until the barrier falls. Until then no commit
//! is accepted, so that none follows a position that is not the last one.

use std::time::Duration;

use redis::{Value, cmd};
use tracing::{info, warn};

use crate::poker::ids::SessionId;
use crate::store::attempt::Charges;
use crate::store::codec::{encode_event, encode_session};
use crate::store::contract::{Entry, Lifetime, Loaded, Position, StoreError};
use crate::store::redis::doorbell;
use crate::store::redis::reply::{CommitReply, Head, RestoreReply, restore_reply};
use crate::store::redis::{CODE_SLACK_MS, Inner, add_lifetime, millis};

/// New commits wait for so long after a session was put back, so that
/// whoever has more of it can say so.
pub(super) const BARRIER: Duration = Duration::from_millis(1_000);

impl Inner {
    pub(super) async fn restore(
        &self,
        replica: Loaded,
        lifetime: Lifetime,
    ) -> Result<(), StoreError> {
        let Loaded { session, position } = replica;
        let (id, code) = (session.id, session.code);
        let recent = self.channels.recent(id, position);
        let code_until = millis(lifetime.tombstone_until.add_ms(CODE_SLACK_MS));

        let mut restore = self.scripts.restore.on(&self.keys.of_session(id));
        restore.arg(position.epoch).arg(position.version).arg(position.nonce);
        restore.arg(encode_session(&session));
        add_lifetime(&mut restore, &lifetime);
        restore.arg(code.as_str()).arg(code_until).arg(BARRIER.as_millis() as u64);
        restore.arg(self.keys.channel(id)).arg(doorbell::news(position, self.origin));
        if recent.is_empty() {
            // The place has to be there for those who stand at it; what led
            // there is part of the snapshot.
            restore.arg(log_id(position)).arg("");
        }
        for entry in &recent {
            restore.arg(log_id(entry.position)).arg(encode_event(&entry.event));
        }
        match restore_reply(&self.link.script("restore", &restore).await?)? {
            RestoreReply::Over => return Err(StoreError::Gone),
            RestoreReply::Kept => return self.append_lost(id, position, recent, lifetime).await,
            RestoreReply::Restored => {}
        }
        info!(session.id = %id, version = position.version, entries = recent.len(),
            "a session that was lost is put back");
        self.confirm(id, position).await?;
        self.restore_code(id, code.as_str(), code_until).await
    }

    /// What is there may be the same history, only older: Redis came back as
    /// it was a while ago, or a failover has lost the end. As far as it is
    /// known, the rest is committed again, unless somebody has committed
    /// anything else since.
    async fn append_lost(
        &self,
        id: SessionId,
        position: Position,
        recent: Vec<Entry>,
        lifetime: Lifetime,
    ) -> Result<(), StoreError> {
        let Some(Head { position: tail, .. }) = self.head(id).await? else { return Ok(()) };
        let known = recent.iter().position(|entry| entry.position == tail);
        let Some(lost) = known.and_then(|known| recent.get(known + 1..)) else { return Ok(()) };
        if lost.is_empty() {
            return Ok(());
        }
        let reply = self.append(id, tail, position, lost, &Charges::of(&[]), &lifetime).await?;
        if let CommitReply::Accepted { .. } | CommitReply::AcceptedBefore = reply {
            info!(session.id = %id, version = position.version, entries = lost.len(),
                "the end of a session that was lost is put back");
            self.confirm(id, position).await?;
        }
        Ok(())
    }

    async fn restore_code(&self, id: SessionId, code: &str, until: u64) -> Result<(), StoreError> {
        let mut take = cmd("SET");
        take.arg(self.keys.code(code)).arg(id.as_str()).arg("NX").arg("GET").arg("PXAT").arg(until);
        match self.link.command("put the join code back", &take).await? {
            Value::BulkString(owner) if owner != id.as_str().as_bytes() => {
                warn!(session.id = %id, "its join code stands for another session now");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn log_id(position: Position) -> String {
    format!("{}-{}", position.version, position.nonce)
}
