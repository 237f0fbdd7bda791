//! What is built and shipped besides the server's own code.

use serde_json::{Value, json};

use crate::seeing::house::House;
use crate::support::http::{ask, get};
use crate::threats::sources::{files, read, root};
use crate::threats::witness::{hosted, joined};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn supply_chain() {
    // What is built is what the lock says, from one place, by its digest.
    let lock = read("Cargo.lock");
    let mut packages = 0;
    for package in lock.split("[[package]]\n").skip(1) {
        let Some(source) = package.lines().find_map(|line| line.strip_prefix("source = ")) else {
            continue;
        };
        packages += 1;
        assert_eq!(source, "\"registry+https://github.com/rust-lang/crates.io-index\"");
        assert!(package.contains("\nchecksum = \""), "{package}");
    }
    assert!(50 < packages, "{packages}");
    let deny = read("deny.toml");
    for rule in [
        "unknown-registry = \"deny\"",
        "unknown-git = \"deny\"",
        "wildcards = \"deny\"",
        "yanked = \"deny\"",
        "{ crate = \"openssl-sys\" }",
        "[licenses]",
    ] {
        assert!(deny.contains(rule), "{rule}");
    }
    assert!(read("Makefile").contains("scripts/audit.sh"));

    // No unsafe code of ours, in any crate.
    assert!(read("Cargo.toml").contains("\nunsafe_code = \"forbid\"\n"));
    for manifest in files(&root().join("functions"), &["toml"]) {
        let text = std::fs::read_to_string(&manifest).expect("a manifest");
        assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
    }
    for folder in ["src", "functions"] {
        for path in files(&root().join(folder), &["rs"]) {
            let text = std::fs::read_to_string(&path).expect("a source file");
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let has = |line: &str| {
                ["unsafe {", "unsafe fn", "unsafe impl"].iter().any(|word| line.contains(word))
            };
            assert!(!code.clone().any(has), "{}", path.display());
        }
    }
    for lockfile in ["tests/clients", "tests/browser", "web"] {
        assert!(root().join(lockfile).join("package-lock.json").exists(), "{lockfile}");
    }
}

#[tokio::test]
async fn lambda_abuse() {
    // The questions that the function answers, by the same code, at the server.
    let house = House::with(|config| config.limits.failed_joins_max = 5);
    let (_ann, created) = hosted(house.address).await;
    let (_bob, player) = joined(house.address, &created, "Bob").await;
    let check = async |body: Value| {
        let body = body.to_string();
        ask(house.address, "POST", "/api/v1/sessions/validate", &[JSON], body.as_bytes()).await
    };
    let token = player["playerToken"].as_str().expect("a token");
    let asked = |session: &Value, token: &str| json!({"sessionId": session, "playerToken": token});
    let own = &created["sessionId"];
    assert_eq!(check(asked(own, token)).await.status, 200);
    assert_eq!(check(asked(own, &"x".repeat(100_000))).await.status, 413);
    assert_eq!(check(asked(own, "cr1.a.b.c")).await.status, 401);
    // A good token does not make an oracle of codes.
    let mut statuses = Vec::new();
    for number in 0..10 {
        statuses.push(check(asked(&json!(format!("ABCD234{number}")), token)).await.status);
    }
    assert!(statuses.iter().all(|status| [401, 404, 429].contains(status)), "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");

    // The functions have nothing of the server in them, and bounds of their own.
    for name in ["session-validate", "metrics-export"] {
        let manifest = read(&format!("functions/{name}/Cargo.toml"));
        let uses = manifest.lines().find(|line| line.starts_with("cardroom = "));
        let uses = uses.expect("it uses the library");
        assert!(uses.contains("default-features = false") && !uses.contains("server"), "{uses}");
    }
    assert!(
        read("functions/session-validate/src/request.rs").contains("BODY_BYTES_MAX < body.len()")
    );
    assert!(read("functions/metrics-export/src/event.rs").contains("EVENT_BYTES_MAX < text.len()"));
    get(house.address, "/healthz").await.is(200, r#"{"status":"ok"}"#);
}
