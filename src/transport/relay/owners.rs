//! Who knows where the other instances are.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::protocol::sid::Owner;

/// The instances and their addresses, as they have told them.
///
/// Asked seldom: what it says is kept for a second or two, and only ids that
/// an instance has issued lead to a question.
pub trait Owners: Send + Sync + 'static {
    /// `host:port` of a living instance; `None` if there is none of that id.
    fn address_of(
        &self,
        owner: Owner,
    ) -> BoxFuture<'_, Result<Option<Arc<str>>, OwnersUnavailable>>;
}

/// Nobody knows at the moment; what was known goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory of instances cannot be asked")]
pub struct OwnersUnavailable;
