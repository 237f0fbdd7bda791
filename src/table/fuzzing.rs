//! A door for `fuzz/`: lists of stories.

use crate::api::client_event::ImportFormat;
use crate::table::story_import::{self, IMPORT_ROWS_MAX};

/// Stories and bad rows in `data`; `None` if it cannot be read as a whole.
pub fn read_stories(format: ImportFormat, data: &str) -> Option<(usize, usize)> {
    let rows = story_import::read(format, data).ok()?;
    assert!(rows.texts.len() + rows.rejected.len() <= IMPORT_ROWS_MAX);
    Some((rows.texts.len(), rows.rejected.len()))
}
