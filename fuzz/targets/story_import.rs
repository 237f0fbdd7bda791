//! Lists of stories: CSV, JSON, lines. The first byte chooses.

#![no_main]

use cardroom::api::client_event::{IMPORT_BYTES_MAX, ImportFormat};
use cardroom::table::fuzzing::read_stories;

cardroom_fuzz::target!(run);

fn run(input: &[u8]) {
    let Some((format, data)) = input.split_first() else { return };
    let Ok(data) = str::from_utf8(data) else { return };
    if IMPORT_BYTES_MAX < data.len() {
        return;
    }
    let format = match format % 3 {
        0 => ImportFormat::Lines,
        1 => ImportFormat::Csv,
        _ => ImportFormat::Json,
    };
    if let Some((stories, rejected)) = read_stories(format, data) {
        // A list of numbers is all rejected rows, of two bytes each.
        assert!(stories + rejected <= 1 + data.len());
    }
}
