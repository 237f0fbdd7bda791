//! What the scripts answer, in types. An answer of another shape is a broken
//! store, never a panic.

use redis::Value;

use crate::limits::{Exceeded, Shortage};
use crate::planted::{self, Bug};
use crate::poker::evolve::evolve;
use crate::store::attempt::OutOf;
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
    Missed(Missed),
    /// Of each budget whether there is room; in one there is not.
    Denied(Vec<Result<(), Shortage>>),
    /// The session is being put back: try again after so many milliseconds.
    Restoring(u64),
    Gone,
}

/// What lies behind a position, and how much of it the replicas are known to
/// have; only strict durability keeps account of that.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missed {
    pub(super) missing: Missing,
    pub(super) confirmed: u64,
}

impl Missed {
    const UNREACHABLE: Self = Self { missing: Missing::Unreachable, confirmed: 0 };

    /// The end of what was missed, where nobody knows yet that the replicas
    /// have it.
    pub(super) fn unconfirmed(&self) -> Option<Position> {
        let Missing::Entries(entries) = &self.missing else { return None };
        let tail = entries.last()?.position;
        (self.confirmed < tail.version).then_some(tail)
    }
}

/// `proposed` is where the commit would lead: the id of its last entry. If
/// that very id lies in the log, it does so because of this commit. `wanted`
/// are the attempts of each of its budgets.
pub(super) fn commit_reply(
    reply: Value,
    proposed: Position,
    wanted: &[u32],
) -> Result<CommitReply, StoreError> {
    let mut fields = Fields::new(reply)?;
    match fields.word()?.as_str() {
        "accepted" => {
            let snapshot_version = fields.number()?;
            let code_to_prolong = fields.optional_bytes()?.map(text).transpose()?;
            Ok(CommitReply::Accepted { snapshot_version, code_to_prolong })
        }
        "missed" => {
            let missing = missed(fields.entries_behind(proposed.epoch)?)?;
            let Missing::Entries(entries) = &missing else { return Err(broken("no entries")) };
            if entries.iter().any(|entry| entry.position == proposed) {
                return Ok(CommitReply::AcceptedBefore);
            }
            let confirmed = fields.optional_number()?;
            Ok(CommitReply::Missed(Missed { missing, confirmed }))
        }
        "unreachable" => Ok(CommitReply::Missed(Missed::UNREACHABLE)),
        "denied" => Ok(CommitReply::Denied(fields.verdicts(wanted)?)),
        "restoring" => Ok(CommitReply::Restoring(fields.number()?)),
        "gone" => Ok(CommitReply::Gone),
        _ => Err(broken("an answer that nobody knows")),
    }
}

/// What lies behind `position`.
pub(super) fn read_reply(reply: Value, position: Position) -> Result<Missed, StoreError> {
    match commit_reply(reply, position, &[])? {
        CommitReply::Missed(missed) => Ok(missed),
        CommitReply::Gone => Err(StoreError::Gone),
        CommitReply::Accepted { .. }
        | CommitReply::AcceptedBefore
        | CommitReply::Denied(_)
        | CommitReply::Restoring(_) => Err(broken("an answer to another question")),
    }
}

/// Of each budget whether there was room for as many attempts as `wanted`.
pub(super) fn attempt_reply(
    reply: Value,
    wanted: &[u32],
) -> Result<Vec<Result<(), Shortage>>, StoreError> {
    let mut fields = Fields::new(reply)?;
    match fields.word()?.as_str() {
        "counted" => fields.verdicts(wanted),
        "gone" => Err(StoreError::Gone),
        _ => Err(broken("an answer that nobody knows")),
    }
}

/// Which of the budgets has no room, if one has none.
pub(super) fn charge_reply(reply: Value) -> Result<Result<(), OutOf>, StoreError> {
    let mut fields = Fields::new(reply)?;
    if fields.is_empty() {
        return Ok(Ok(()));
    }
    let budget = fields.integer()? as usize;
    Ok(Err(OutOf { budget, exceeded: Exceeded { retry_after_ms: fields.integer()? } }))
}

/// The session, and up to which version the replicas are known to have it.
pub(super) fn load_reply(reply: Value) -> Result<(Stored, u64), StoreError> {
    let mut fields = Fields::new(reply)?;
    match fields.word()?.as_str() {
        "gone" => {
            let stored = match fields.optional_bytes()? {
                Some(word) => Stored::Gone(tombstone(&word)?),
                None => Stored::Unknown,
            };
            Ok((stored, 0))
        }
        "live" => {
            let epoch = fields.number()?;
            let (version, nonce) = (fields.number()?, fields.number()?);
            let tail = Position { epoch, version, nonce };
            let snapshot_version = fields.number()?;
            let snapshot = fields.bytes()?;
            let session = decode_session(&snapshot).map_err(unreadable)?;
            let entries = fields.entries(epoch)?;
            let confirmed = fields.optional_number()?;
            let loaded = Loaded { session, position: tail };
            Ok((replayed(loaded, snapshot_version, entries)?, confirmed))
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

/// They follow each other, and the first one follows `first`.
fn missed((first, mut entries): (Position, Vec<Entry>)) -> Result<Missing, StoreError> {
    let is_whole = (first.version..)
        .skip(1)
        .zip(&entries)
        .all(|(version, entry)| entry.position.version == version);
    if !is_whole {
        return Err(broken("a log with a gap"));
    }
    if planted::is(Bug::ReplayOffByOne) && 1 < entries.len() {
        entries.remove(0);
    }
    Ok(Missing::Entries(entries))
}

/// Where a log ends, and how much of it the replicas are known to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) position: Position,
    pub(super) confirmed: u64,
}

/// `epoch`, `version`, `nonce`, `confirmed` of a session; `None` when it is
/// gone.
pub(super) fn head_reply(reply: Value) -> Result<Option<Head>, StoreError> {
    let mut fields = Fields::new(reply)?;
    let Some(epoch) = fields.optional_bytes()? else { return Ok(None) };
    let epoch = number(&epoch)?;
    let position = Position { epoch, version: fields.number()?, nonce: fields.number()? };
    Ok(Some(Head { position, confirmed: fields.optional_number()? }))
}

/// The answer to putting a session back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestoreReply {
    Restored,
    Kept,
    Over,
}

pub(super) fn restore_reply(reply: &Value) -> Result<RestoreReply, StoreError> {
    let Value::BulkString(word) = reply else { return Err(broken("an answer of another kind")) };
    match word.as_slice() {
        b"restored" => Ok(RestoreReply::Restored),
        b"kept" => Ok(RestoreReply::Kept),
        b"over" => Ok(RestoreReply::Over),
        _ => Err(broken("an answer that nobody knows")),
    }
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

/// An entry's id, and what it holds.
fn entry_position(fields: &mut Fields, epoch: u64) -> Result<Position, StoreError> {
    let id = fields.word()?;
    let (version, nonce) = id.split_once('-').ok_or_else(|| broken("an entry's id"))?;
    let (version, nonce) = (number(version.as_bytes())?, number(nonce.as_bytes())?);
    Ok(Position { epoch, version, nonce })
}

fn entry(value: Value, epoch: u64) -> Result<Entry, StoreError> {
    let mut fields = Fields::new(value)?;
    let position = entry_position(&mut fields, epoch)?;
    let mut pairs = Fields::new(fields.next()?)?;
    if pairs.word()? != "e" {
        return Err(broken("an entry without an event"));
    }
    let event = decode_event(&pairs.bytes()?).map_err(unreadable)?;
    Ok(Entry { position, event })
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

    /// 0 where there is none.
    fn optional_number(&mut self) -> Result<u64, StoreError> {
        self.optional_bytes()?.map_or(Ok(0), |digits| number(&digits))
    }

    fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// One that is no text.
    fn integer(&mut self) -> Result<u64, StoreError> {
        match self.next()? {
            Value::Int(number) => u64::try_from(number).map_err(|_| broken("a negative number")),
            _ => Err(broken("no number")),
        }
    }

    /// How many fit and the wait for one more, of each budget.
    fn verdicts(&mut self, wanted: &[u32]) -> Result<Vec<Result<(), Shortage>>, StoreError> {
        let verdicts = wanted.iter().map(|wanted| {
            let fit = u32::try_from(self.integer()?).map_err(|_| broken("too many attempts"))?;
            let exceeded = Exceeded { retry_after_ms: self.integer()? };
            Ok(if fit < *wanted { Err(Shortage { fit, exceeded }) } else { Ok(()) })
        });
        verdicts.collect()
    }

    fn entries(&mut self, epoch: u64) -> Result<Vec<Entry>, StoreError> {
        Self::new(self.next()?)?.0.map(|value| entry(value, epoch)).collect()
    }

    /// The first entry is the position that was asked for; what it holds is
    /// known, or a session that was put back does not know it any more.
    fn entries_behind(&mut self, epoch: u64) -> Result<(Position, Vec<Entry>), StoreError> {
        let mut values = Self::new(self.next()?)?.0;
        let first = values.next().ok_or_else(|| broken("no entry at all"))?;
        let first = entry_position(&mut Self::new(first)?, epoch)?;
        let entries: Result<Vec<Entry>, StoreError> =
            values.map(|value| entry(value, epoch)).collect();
        Ok((first, entries?))
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

    fn read(entries: Vec<Value>) -> Result<Missed, StoreError> {
        read_reply(missed_entries(entries), AT)
    }

    fn missed_entries(entries: Vec<Value>) -> Value {
        Value::Array(vec![bulk("missed"), Value::Array(entries), bulk("3")])
    }

    const AT: Position = Position { epoch: 7, version: 3, nonce: 5 };

    #[test]
    fn the_position_itself_is_not_missing() {
        let position = Position { epoch: 7, version: 4, nonce: 9 };
        let missing = Missing::Entries(vec![Entry { position, event: away(2) }]);
        let missed = Missed { missing, confirmed: 3 };
        assert_eq!(missed.unconfirmed(), Some(position));
        assert_eq!(read(vec![entry("3-5", 1), entry("4-9", 2)]), Ok(missed));
    }

    #[test]
    fn a_commit_that_finds_itself_was_accepted() {
        let log = || missed_entries(vec![entry("3-5", 1), entry("4-9", 2), entry("5-2", 3)]);
        let proposed = Position { version: 4, nonce: 9, ..AT };
        assert!(matches!(commit_reply(log(), proposed, &[]), Ok(CommitReply::AcceptedBefore)));
        // The same number by somebody else.
        let other = Position { nonce: 8, ..proposed };
        assert!(matches!(commit_reply(log(), other, &[]), Ok(CommitReply::Missed(_))));
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
