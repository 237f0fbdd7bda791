//! The files of the project, for what holds in all of them.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder whose names end so.
pub(super) fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_wanted = path.extension().and_then(|ending| ending.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if is_wanted.is_some_and(|ending| endings.contains(&ending)) {
                found.push(path);
            }
        }
    }
    found
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The version of a crate in Cargo.lock; the lowest, if there are several.
pub(super) fn locked(name: &str) -> (u32, u32, u32) {
    let lock = read("Cargo.lock");
    let start = format!("name = \"{name}\"\nversion = \"");
    let versions = lock.split(&start).skip(1).filter_map(|rest| {
        let text = rest.split('"').next()?.split(['-', '+']).next()?;
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        Some((numbers.next()??, numbers.next()??, numbers.next()??))
    });
    versions.min().unwrap_or_else(|| panic!("no {name} in Cargo.lock"))
}
