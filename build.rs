//! Puts the built web page into the binary: writes the table that
//! `src/http/page.rs` includes. Without `web/page/dist` (nobody ran npm) the
//! table is empty, and the server says at `/` how to get the page.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let page = root.join("web/page");
    let dist = page.join("dist");
    println!("cargo:rerun-if-changed=build.rs");
    // A path that does not exist would count as changed at every build.
    if let Some(watched) = [&dist, &page].into_iter().find(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", watched.display());
    }
    let mut files = BTreeSet::new();
    if dist.join("index.html").is_file() {
        collect(&dist, &mut files)?;
    }
    fs::write(out.join("page.rs"), table(&dist, &files)?)
}

fn collect(folder: &Path, files: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.insert(path);
        }
    }
    Ok(())
}

/// `page.js` may have `page.js.br` and `page.js.gz` beside it; those are
/// further forms of the same file and no files of their own.
fn table(dist: &Path, files: &BTreeSet<PathBuf>) -> io::Result<String> {
    let mut rows = String::new();
    for file in files {
        let extension = file.extension().and_then(|text| text.to_str()).unwrap_or_default();
        let Some(media_type) = media_type(extension) else { continue };
        let path = file.strip_prefix(dist).expect("below dist").to_string_lossy();
        let mut hasher = DefaultHasher::new();
        fs::read(file)?.hash(&mut hasher);
        let form = |suffix: &str| {
            let mut name = file.clone().into_os_string();
            name.push(suffix);
            let name = PathBuf::from(name);
            if files.contains(&name) {
                format!("Some(include_bytes!({name:?}))")
            } else {
                "None".to_owned()
            }
        };
        writeln!(
            rows,
            "    File {{ path: {:?}, media_type: {media_type:?}, tag: \"{:016x}\", \
             plain: include_bytes!({file:?}), gzip: {}, brotli: {} }},",
            format!("/{}", path.replace('\\', "/")),
            hasher.finish(),
            form(".gz"),
            form(".br"),
        )
        .expect("a String takes everything");
    }
    Ok(format!("const FILES: &[File] = &[\n{rows}];\n"))
}

fn media_type(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
