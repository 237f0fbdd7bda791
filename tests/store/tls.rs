//! A Redis behind TLS and a password.

use std::path::{Path, PathBuf};
use std::process::Command;

use cardroom::store::RedisStore;
use cardroom::store::redis::{ConnectError, RedisOptions};

use crate::store::contract::{away, commit, create, load};
use crate::store::redis_server::{RedisServer, directory, options};
use crate::support::ports::free_port;

fn openssl(arguments: &[&str]) {
    let run = Command::new("openssl").args(arguments).output().expect("openssl");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

/// An authority of our own, and a certificate of it for 127.0.0.1.
fn certificates(directory: &Path) -> [String; 3] {
    let file = |name: &str| directory.join(name).to_str().expect("text").to_owned();
    let [ca, ca_key, cert, key, request] =
        ["ca.pem", "ca.key", "server.pem", "server.key", "server.csr"].map(file);
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let authority =
        ["req", "-x509", "-subj", "/CN=test", "-days", "2", "-keyout", &ca_key, "-out", &ca];
    openssl(&[&authority[..], &curve].concat());
    let server = ["req", "-subj", "/CN=redis", "-keyout", &key, "-out", &request];
    openssl(&[&server[..], &curve, &["-addext", "subjectAltName=IP:127.0.0.1"]].concat());
    openssl(&[
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        &ca,
        "-CAkey",
        &ca_key,
        "-CAcreateserial",
        "-days",
        "2",
        "-copy_extensions",
        "copy",
        "-out",
        &cert,
    ]);
    [ca, cert, key]
}

#[tokio::test]
async fn sessions_are_kept_behind_tls_and_a_password() {
    let files = tempfile::tempdir_in(directory()).expect("a directory");
    let [ca, cert, key] = certificates(files.path());
    let port = free_port();
    let port_text = port.to_string();
    let _server = RedisServer::run(
        port,
        &[
            "--port",
            "0",
            "--tls-port",
            &port_text,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--tls-cert-file",
            &cert,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            "no",
            "--requirepass",
            "canary",
            "--dir",
            &directory(),
        ],
    );
    let url = format!("rediss://:canary@127.0.0.1:{port}");
    let trusting = |ca: &str| RedisOptions {
        tls_ca_file: Some(PathBuf::from(ca)),
        connect_timeout: std::time::Duration::from_secs(2),
        ..options(&url, "")
    };
    let store = RedisStore::connect(trusting(&ca)).await.expect("a store");
    let created = create(&store, 1).await;
    let id = created.session.id;
    let _subscription = cardroom::store::SessionStore::subscribe(&store, id).await.unwrap();
    let position = commit(&store, id, created.position, &[away(1, true)]).await.unwrap();
    assert_eq!(load(&store, id).await.position, position);

    // Nobody else's certificate will do, nor none, nor another password.
    let strangers = RedisOptions { tls_ca_file: None, ..trusting(&ca) };
    assert!(RedisStore::connect(strangers).await.is_err());
    let plain = RedisOptions { url: url.replace("rediss", "redis").into(), ..trusting(&ca) };
    assert!(RedisStore::connect(plain).await.is_err());
    let wrong = RedisOptions { url: url.replace("canary", "guess").into(), ..trusting(&ca) };
    let refused = RedisStore::connect(wrong).await.err().expect("refused");
    assert!(!format!("{refused} {refused:?}").contains("guess"));
    let missing = RedisStore::connect(trusting("missing.pem")).await.err().expect("refused");
    assert!(matches!(missing, ConnectError::Certificates(_)));
}
