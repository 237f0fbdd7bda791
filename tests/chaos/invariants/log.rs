//! I4: the versions of a log are dense from 1 to its tail, and the snapshot in
//! Redis is what the log leads to.

use cardroom::poker::session::Session;

use crate::truth::{Entry, Truth, Visitor};
use crate::verdict::Verdict;

pub(crate) fn check(truth: &Truth, verdict: &mut Verdict) {
    for (id, log) in &truth.sessions {
        let versions = log.entries.iter().map(|entry| entry.version);
        for (should, is) in (1..).zip(versions) {
            if should != is {
                verdict.violated("I4", || format!("{id}: {is} where {should} should stand"));
                break;
            }
        }
        let tail = log.entries.last().map(|entry| (entry.version, entry.nonce));
        if tail != Some((log.version, log.nonce)) {
            verdict.violated("I4", || format!("{id}: the log ends before its tail"));
        }
        let Some((version, kept)) = &log.snapshot else {
            verdict.violated("I4", || format!("{id}: no snapshot that can be read"));
            continue;
        };
        let mut at = At { version: *version, kept, is_same: None };
        log.walk(&mut [&mut at]);
        if at.is_same != Some(true) {
            verdict.violated("I6", || {
                format!("{id}: the snapshot of {version} is not what the log leads to")
            });
        }
    }
}

struct At<'a> {
    version: u64,
    kept: &'a Session,
    is_same: Option<bool>,
}

impl Visitor for At<'_> {
    fn after(&mut self, state: &Session, entry: &Entry) {
        if entry.version == self.version {
            self.is_same = Some(state == self.kept);
        }
    }
}
