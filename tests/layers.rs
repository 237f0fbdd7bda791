//! The layers of `src/`, as ARCHITECTURE.md draws them: a module names only
//! modules of lower layers, and siblings do not name each other.

use std::fs;
use std::path::Path;

/// From the bottom to the top.
const LAYERS: &[&[&str]] = &[
    &["planted", "poker", "protocol", "shutdown", "telemetry"],
    &["alarm", "clock", "limits"],
    &["api", "store", "hub", "identity"],
    &["metrics"],
    &["connection"],
    &["table"],
    &["transport"],
    &["http"],
    &["config"],
    &["server"],
];

#[test]
fn a_module_names_only_lower_layers() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let layer = layer_of(&module).unwrap_or_else(|| panic!("{module} has no layer"));
        for named in named_modules(&text) {
            let is_lower = named == module || layer_of(&named).is_some_and(|other| other < layer);
            if !is_lower {
                wrong.push(format!("{path}: {module} names {named}"));
            }
        }
    }
    assert!(wrong.is_empty(), "edges against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn every_layer_exists() {
    let modules: Vec<String> = sources().into_iter().map(|(module, ..)| module).collect();
    for module in LAYERS.iter().copied().flatten() {
        assert!(modules.iter().any(|known| known == module), "{module} is no module any more");
    }
}

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Every source file as (top module, path, text without its unit tests).
fn sources() -> Vec<(String, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is a folder") {
            let path = entry.expect("an entry of src").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(&root).expect("below src").display().to_string();
            let top = relative.split(['/', '.']).next().unwrap_or_default().to_owned();
            if matches!(top.as_str(), "lib" | "main") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source file");
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            found.push((top, relative, code.to_owned()));
        }
    }
    found
}

/// The modules behind `crate::` in code; comments do not count.
fn named_modules(text: &str) -> Vec<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1).map(str::to_owned).collect::<Vec<_>>())
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .filter(|module: &String| !module.is_empty())
        .collect()
}
