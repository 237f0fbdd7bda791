//! The records as they lie in Redis: JSON that people can read too, and that
//! an older or newer version reads as far as it knows the fields.

use redis::Value;
use serde::{Deserialize, Serialize};

use crate::poker::ids::{InstanceId, Millis, PlayerId, SessionId};
use crate::protocol::{PrivateId, SocketId};
use crate::store::contract::{Position, StoreError};
use crate::store::directory::{
    Announced, ConnectionRecord, Figures, InstanceRecord, Lease, RecoverablePlace, RecoveryRecord,
};
use crate::store::redis::reply::{broken, number};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredConnection {
    socket_id: String,
    session_id: SessionId,
    player_id: PlayerId,
    instance: InstanceId,
    connected_at: Millis,
    last_activity: Millis,
    /// The key is kept longer; from then on it means nothing.
    lease_end: Millis,
}

pub(super) fn connection_text(record: &ConnectionRecord, lease_end: Millis) -> String {
    let stored = StoredConnection {
        socket_id: record.socket.to_string(),
        session_id: record.session,
        player_id: record.player,
        instance: record.instance,
        connected_at: record.connected_at,
        last_activity: record.last_activity,
        lease_end,
    };
    serde_json::to_string(&stored).expect("text and numbers are JSON")
}

/// The record, if its lease runs at `now`.
pub(super) fn connection(
    reply: &Value,
    now: Millis,
) -> Result<Option<ConnectionRecord>, StoreError> {
    let Some(text) = optional_bytes(reply)? else { return Ok(None) };
    let unreadable = || broken("no connection record");
    let stored: StoredConnection = serde_json::from_slice(text).map_err(|_| unreadable())?;
    let record = ConnectionRecord {
        socket: SocketId::parse(&stored.socket_id).ok_or_else(unreadable)?,
        session: stored.session_id,
        player: stored.player_id,
        instance: stored.instance,
        connected_at: stored.connected_at,
        last_activity: stored.last_activity,
    };
    Ok((now < stored.lease_end).then_some(record))
}

pub(super) const INSTANCE_FIELDS: &[&str] = &["address", "started", "figures", "task"];

pub(super) fn figures_text(figures: &Figures) -> String {
    serde_json::to_string(figures).expect("numbers are JSON")
}

/// The reply to `HMGET` of [`INSTANCE_FIELDS`].
pub(super) fn instance(
    id: InstanceId,
    reply: &Value,
) -> Result<Option<InstanceRecord>, StoreError> {
    let Value::Array(fields) = reply else { return Err(broken("no instance record")) };
    let [address, started, figures, task] = fields.as_slice() else {
        return Err(broken("no instance record"));
    };
    let (Some(address), Some(started)) = (optional_bytes(address)?, optional_bytes(started)?)
    else {
        return Ok(None);
    };
    let address = String::from_utf8_lossy(address).into_owned();
    // An older version wrote neither, and they decide nothing.
    let figures = optional_bytes(figures)?.and_then(|text| serde_json::from_slice(text).ok());
    let task = optional_bytes(task)?.filter(|task| !task.is_empty());
    Ok(Some(InstanceRecord {
        id,
        address,
        task: task.map(|task| String::from_utf8_lossy(task).into_owned()),
        started: Millis(number(started)?),
        figures: figures.unwrap_or_default(),
    }))
}

/// The reply to `announce.lua`.
pub(super) fn announced(reply: &Value) -> Result<Announced, StoreError> {
    let flags = match reply {
        Value::Array(flags) => flags.as_slice(),
        _ => &[],
    };
    let [Value::Int(is_renewal), Value::Int(drains)] = flags else {
        return Err(broken("no answer to an announcement"));
    };
    let lease = if *is_renewal == 1 { Lease::Renewed } else { Lease::Began };
    Ok(Announced { lease, is_asked_to_drain: *drains == 1 })
}

/// The reply to `keep.lua`: positions, which it counts from 1.
pub(super) fn positions(reply: &Value) -> Result<impl Iterator<Item = usize>, StoreError> {
    let Value::Array(positions) = reply else { return Err(broken("no positions")) };
    Ok(positions.iter().filter_map(|position| match position {
        Value::Int(position) => usize::try_from(*position).ok()?.checked_sub(1),
        _ => None,
    }))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredRecovery {
    socket_id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    place: Option<StoredPlace>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredPlace {
    session_id: SessionId,
    player_id: PlayerId,
    generation: u32,
    /// Epoch, version, nonce.
    joined_at: (u64, u64, u64),
}

pub(super) fn recovery_text(record: &RecoveryRecord) -> String {
    let stored = StoredRecovery {
        socket_id: record.socket.to_string(),
        place: record.place.map(|place| StoredPlace {
            session_id: place.session,
            player_id: place.player,
            generation: place.generation,
            joined_at: (place.joined_at.epoch, place.joined_at.version, place.joined_at.nonce),
        }),
    };
    serde_json::to_string(&stored).expect("text and numbers are JSON")
}

/// The reply to a claim: `[claims, owner, record]`, or nothing.
pub(super) fn recovery(id: PrivateId, reply: &Value) -> Result<Option<RecoveryRecord>, StoreError> {
    let unreadable = || broken("no recovery record");
    let fields = match reply {
        Value::Nil => return Ok(None),
        Value::Array(fields) => fields.as_slice(),
        _ => return Err(unreadable()),
    };
    let [Value::BulkString(claims), Value::BulkString(owner), Value::BulkString(text)] = fields
    else {
        return Err(unreadable());
    };
    let owner = str::from_utf8(owner).ok().and_then(|owner| owner.parse().ok());
    let stored: StoredRecovery = serde_json::from_slice(text).map_err(|_| unreadable())?;
    Ok(Some(RecoveryRecord {
        id,
        socket: SocketId::parse(&stored.socket_id).ok_or_else(unreadable)?,
        owner: owner.ok_or_else(unreadable)?,
        claims: u32::try_from(number(claims)?).map_err(|_| unreadable())?,
        place: stored.place.map(|place| {
            let (epoch, version, nonce) = place.joined_at;
            RecoverablePlace {
                session: place.session_id,
                player: place.player_id,
                generation: place.generation,
                joined_at: Position { epoch, version, nonce },
            }
        }),
    }))
}

/// A member of the set of connections, as `track.lua` makes them:
/// `player/socket/instance`.
pub(super) fn socket_of_member(member: &Value) -> Option<SocketId> {
    let Value::BulkString(member) = member else { return None };
    let mut parts = str::from_utf8(member).ok()?.split('/');
    parts.nth(1).and_then(SocketId::parse)
}

fn optional_bytes(value: &Value) -> Result<Option<&[u8]>, StoreError> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        _ => Err(broken("no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> RecoverablePlace {
        RecoverablePlace {
            session: SessionId::from_random([1; 10]),
            player: PlayerId::from_random([2; 16]),
            generation: 3,
            joined_at: Position { epoch: u64::MAX, version: 5, nonce: 6 },
        }
    }

    #[test]
    fn a_recovery_record_is_read_as_it_was_written() {
        for place in [None, Some(place())] {
            let record = RecoveryRecord {
                id: PrivateId::from_random([7; 15]),
                socket: SocketId::from_random([8; 15]),
                owner: InstanceId(9),
                claims: 10,
                place,
            };
            let text = recovery_text(&record);
            assert!(!text.contains(record.id.expose()), "the private id is a secret");
            let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
            let reply = Value::Array(vec![bulk("10"), bulk("0000000000000009"), bulk(&text)]);
            assert_eq!(recovery(record.id, &reply), Ok(Some(record)));
        }
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let id = PrivateId::from_random([7; 15]);
        assert_eq!(recovery(id, &Value::Nil), Ok(None));
        assert!(recovery(id, &Value::Int(1)).is_err());
        assert!(recovery(id, &Value::Array(vec![bulk("x"), bulk("y"), bulk("{}")])).is_err());
        assert!(connection(&bulk("{}"), Millis(0)).is_err());
        assert!(connection(&Value::Int(1), Millis(0)).is_err());
        assert!(instance(InstanceId(1), &Value::Nil).is_err());
        assert!(announced(&Value::Int(1)).is_err());
        assert_eq!(socket_of_member(&bulk("a/b/c")), None);
    }
}
