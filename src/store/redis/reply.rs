//! What the scripts answer, in types. An answer of another shape is a broken
//! store, never a panic.

use redis::Value;

use crate::poker::evolve::evolve;
use crate::store::codec::{decode_event, decode_session};
use crate::store::contract::{Entry, Loaded, Missing, Position, StoreError, Stored, Tombstone};

/// The answer to a commit.
pub(super) enum CommitReply {
    Accepted {
        snapshot_version: u64,
        code_to_prolong: Option<String>,
    },
    /// By the first of two attempts, whose reply was lost.
    AcceptedBefore,
    Missed(Missing),
    Gone,
}

/// `proposed` is where the commit would lead: the id of its last entry. If
/// that very id lies in the log, it does so because of this commit.
pub(super) fn commit_reply(reply: Value, proposed: Position) -> Result<CommitReply, StoreError> {
    let mut fields = Fields::new(reply)?;
    match fields.word()?.as_str() {
        "accepted" => {
            let snapshot_version = fields.number()?;
            let code_to_prolong = fields.optional_bytes()?.map(text).transpose()?;
            Ok(CommitReply::Accepted { snapshot_version, code_to_prolong })
        }
        "missed" => {
            let entries = fields.entries(proposed.epoch)?;
            if entries.iter().skip(1).any(|entry| entry.position == proposed) {
                return Ok(CommitReply::AcceptedBefore);
            }
            Ok(CommitReply::Missed(missed(entries)?))
        }
        "unreachable" => Ok(CommitReply::Missed(Missing::Unreachable)),
        "gone" => Ok(CommitReply::Gone),
        _ => Err(broken("an answer that nobody knows")),
    }
}

/// What lies behind `position`.
pub(super) fn read_reply(reply: Value, position: Position) -> Result<Missing, StoreError> {
    match commit_reply(reply, position)? {
        CommitReply::Missed(missing) => Ok(missing),
        CommitReply::Gone => Err(StoreError::Gone),
        CommitReply::Accepted { .. } | CommitReply::AcceptedBefore => {
            Err(broken("an answer to another question"))
        }
    }
}

pub(super) fn load_reply(reply: Value) -> Result<Stored, StoreError> {
    let mut fields = Fields::new(reply)?;
    match fields.word()?.as_str() {
        "gone" => Ok(match fields.optional_bytes()? {
            Some(word) => Stored::Gone(tombstone(&word)?),
            None => Stored::Unknown,
        }),
        "live" => {
            let epoch = fields.number()?;
            let (version, nonce) = (fields.number()?, fields.number()?);
            let tail = Position { epoch, version, nonce };
            let snapshot_version = fields.number()?;
            let snapshot = fields.bytes()?;
            let session = decode_session(&snapshot).map_err(unreadable)?;
            replayed(Loaded { session, position: tail }, snapshot_version, fields.entries(epoch)?)
        }
        _ => Err(broken("an answer that nobody knows")),
    }
}

/// The snapshot moved on by the entries behind it, which must follow each
/// other without a gap up to the tail.
fn replayed(
    mut loaded: Loaded,
    snapshot_version: u64,
    entries: Vec<Entry>,
) -> Result<Stored, StoreError> {
    let mut version = snapshot_version;
    let mut last = None;
    for entry in entries {
        version += 1;
        if entry.position.version != version {
            return Err(broken("a log with a gap"));
        }
        last = Some(entry.position);
        evolve(&mut loaded.session, &entry.event);
    }
    let reaches_tail = version == loaded.position.version
        && last.is_none_or(|position| position == loaded.position);
    if !reaches_tail {
        return Err(broken("a log that ends before its tail"));
    }
    Ok(Stored::Live(Box::new(loaded)))
}

/// The first entry is the position that was asked for.
fn missed(mut entries: Vec<Entry>) -> Result<Missing, StoreError> {
    let first = entries.first().ok_or_else(|| broken("no entry at all"))?.position.version;
    let is_whole =
        (first..).zip(&entries).all(|(version, entry)| entry.position.version == version);
    if !is_whole {
        return Err(broken("a log with a gap"));
    }
    entries.remove(0);
    Ok(Missing::Entries(entries))
}

/// `epoch`, `version`, `nonce` of a session; `None` when it is gone.
pub(super) fn head_reply(reply: Value) -> Result<Option<Position>, StoreError> {
    let mut fields = Fields::new(reply)?;
    let Some(epoch) = fields.optional_bytes()? else { return Ok(None) };
    let epoch = number(&epoch)?;
    Ok(Some(Position { epoch, version: fields.number()?, nonce: fields.number()? }))
}

pub(super) const fn tombstone_word(tombstone: Tombstone) -> &'static str {
    match tombstone {
        Tombstone::Ended => "ended",
        Tombstone::Expired => "expired",
    }
}

fn tombstone(word: &[u8]) -> Result<Tombstone, StoreError> {
    match word {
        b"ended" => Ok(Tombstone::Ended),
        b"expired" => Ok(Tombstone::Expired),
        _ => Err(broken("a tombstone that nobody knows")),
    }
}

fn entry(value: Value, epoch: u64) -> Result<Entry, StoreError> {
    let mut fields = Fields::new(value)?;
    let id = fields.word()?;
    let (version, nonce) = id.split_once('-').ok_or_else(|| broken("an entry's id"))?;
    let (version, nonce) = (number(version.as_bytes())?, number(nonce.as_bytes())?);
    let mut pairs = Fields::new(fields.next()?)?;
    if pairs.word()? != "e" {
        return Err(broken("an entry without an event"));
    }
    let event = decode_event(&pairs.bytes()?).map_err(unreadable)?;
    Ok(Entry { position: Position { epoch, version, nonce }, event })
}

/// The elements of an answer, one after the other.
struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    fn new(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(items) => Ok(Self(items.into_iter())),
            _ => Err(broken("an answer that is no list")),
        }
    }

    fn next(&mut self) -> Result<Value, StoreError> {
        self.0.next().ok_or_else(|| broken("an answer that is too short"))
    }

    fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        match self.next()? {
            Value::BulkString(bytes) => Ok(Some(bytes)),
            Value::SimpleString(text) => Ok(Some(text.into_bytes())),
            Value::Nil => Ok(None),
            _ => Err(broken("an answer of another kind")),
        }
    }

    fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        self.optional_bytes()?.ok_or_else(|| broken("a key that is missing"))
    }

    fn word(&mut self) -> Result<String, StoreError> {
        text(self.bytes()?)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        number(&self.bytes()?)
    }

    fn entries(&mut self, epoch: u64) -> Result<Vec<Entry>, StoreError> {
        Self::new(self.next()?)?.0.map(|value| entry(value, epoch)).collect()
    }
}

pub(super) fn number(digits: &[u8]) -> Result<u64, StoreError> {
    let text = str::from_utf8(digits).ok();
    text.and_then(|text| text.parse().ok()).ok_or_else(|| broken("no number"))
}

fn text(bytes: Vec<u8>) -> Result<String, StoreError> {
    String::from_utf8(bytes).map_err(|_| broken("no text"))
}

pub(super) fn broken(what: &str) -> StoreError {
    StoreError::Broken(what.to_owned())
}

fn unreadable(error: crate::store::codec::CodecError) -> StoreError {
    StoreError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poker::event::{Event, Fact};
    use crate::poker::ids::{Millis, PlayerId};
    use crate::store::codec::encode_event;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn away(at: u64) -> Event {
        let fact = Fact::AwaySet { player: PlayerId::from_random([1; 16]), is_away: true };
        Event { at: Millis(at), seq: 0, by: None, request: None, fact }
    }

    fn entry(id: &str, at: u64) -> Value {
        let event = Value::BulkString(encode_event(&away(at)));
        let pairs = Value::Array(vec![bulk("e"), event, bulk("t"), bulk("1")]);
        Value::Array(vec![bulk(id), pairs])
    }

    fn read(entries: Vec<Value>) -> Result<Missing, StoreError> {
        read_reply(missed_entries(entries), AT)
    }

    fn missed_entries(entries: Vec<Value>) -> Value {
        Value::Array(vec![bulk("missed"), Value::Array(entries)])
    }

    const AT: Position = Position { epoch: 7, version: 3, nonce: 5 };

    #[test]
    fn the_position_itself_is_not_missing() {
        let position = Position { epoch: 7, version: 4, nonce: 9 };
        let missing = Missing::Entries(vec![Entry { position, event: away(2) }]);
        assert_eq!(read(vec![entry("3-5", 1), entry("4-9", 2)]), Ok(missing));
    }

    #[test]
    fn a_commit_that_finds_itself_was_accepted() {
        let log = || missed_entries(vec![entry("3-5", 1), entry("4-9", 2), entry("5-2", 3)]);
        let proposed = Position { version: 4, nonce: 9, ..AT };
        assert!(matches!(commit_reply(log(), proposed), Ok(CommitReply::AcceptedBefore)));
        // The same number by somebody else.
        let other = Position { nonce: 8, ..proposed };
        assert!(matches!(commit_reply(log(), other), Ok(CommitReply::Missed(_))));
    }

    #[test]
    fn what_does_not_fit_is_broken_and_no_panic() {
        for reply in [
            read(vec![]),
            read(vec![entry("3-5", 1), entry("5-9", 2)]),
            read(vec![entry("3", 1)]),
            read(vec![Value::Nil]),
            read_reply(Value::Okay, AT),
            read_reply(Value::Array(vec![]), AT),
            read_reply(Value::Array(vec![bulk("what")]), AT),
        ] {
            assert!(matches!(reply, Err(StoreError::Broken(_))), "{reply:?}");
        }
        let live = Value::Array(vec![bulk("live"), bulk("1"), bulk("2"), bulk("3"), bulk("1")]);
        assert!(matches!(load_reply(live), Err(StoreError::Broken(_))));
    }
}
