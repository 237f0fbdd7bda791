use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use secrecy::ExposeSecret;
use tempfile::TempDir;

use crate::config::sections::{LogFormat, Reclaim, Transport};
use crate::config::{Arguments, Config, ConfigError};

/// Given a file, an environment and a command line.
#[derive(Default)]
struct Given<'a> {
    file: &'a str,
    environment: &'a [(&'a str, &'a str)],
    line: &'a [&'a str],
}

impl Given<'_> {
    fn load(&self) -> Result<Config, ConfigError> {
        let (_directory, path) = written(self.file);
        let config = ["cardroom", "--config", path.to_str().expect("UTF-8")];
        let line = config.iter().chain(self.line);
        let arguments = Arguments::try_parse_from(line).expect("a command line");
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::load(&arguments, self.environment.iter().map(pair))
    }

    /// The problems, without where they come from.
    fn problems(&self) -> Vec<String> {
        let ConfigError(problems) = self.load().expect_err("refused");
        let line = |text: String| match text.rsplit_once(" (") {
            Some((line, _)) => line.to_owned(),
            None => text,
        };
        problems.iter().map(|problem| line(problem.to_string())).collect()
    }
}

fn written(text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("cardroom.toml");
    fs::write(&path, text).expect("written");
    (directory, path)
}

fn set(key_value: &str) -> Vec<String> {
    Given { line: &["--set", key_value], ..Given::default() }.problems()
}

#[test]
fn the_later_source_wins() {
    let file = "[engine]\nping_interval_ms = 1000\nping_timeout_ms = 1001\nupgrade_timeout_ms = 1002\n\
                [rate_limits]\n\"vote:submit\" = 7";
    let environment = [
        ("CARDROOM_ENGINE__PING_TIMEOUT_MS", "2001"),
        ("CARDROOM_ENGINE__UPGRADE_TIMEOUT_MS", "2002"),
    ];
    let line = ["--set", "engine.upgrade_timeout_ms=3002", "--listen", "127.0.0.1:8080"];
    let config = Given { file, environment: &environment, line: &line }.load().expect("good");
    assert_eq!(config.engine.connect_timeout_ms, 45_000);
    assert_eq!(config.engine.ping_interval_ms, 1_000);
    assert_eq!(config.engine.ping_timeout_ms, 2_001);
    assert_eq!(config.engine.upgrade_timeout_ms, 3_002);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.rate_limits.limit("vote:submit"), Some(7));
    assert_eq!(config.rate_limits.limit("vote:change"), Some(30));
    assert_eq!(config.rate_limits.limit("vote:steal"), None);
}

#[test]
fn values_of_the_environment_and_the_command_line_have_types() {
    let environment = [
        ("CARDROOM_SERVER__TRANSPORTS", "[\"websocket\"]"),
        ("CARDROOM_AUTH__RECLAIM", "open"),
        ("CARDROOM_AUTH__TOKEN_KEYS", r#"[{kid="a", secret="0123456789abcdef0123456789abcdef"}]"#),
        ("PATH", "/bin"),
    ];
    let line = [
        "--log-format",
        "json",
        "--log-level",
        "warn,cardroom=debug",
        "--set",
        "rate_limits.vote:submit=20",
    ];
    let config = Given { environment: &environment, line: &line, ..Given::default() };
    let config = config.load().expect("good");
    assert_eq!(config.server.transports, [Transport::Websocket]);
    assert_eq!(config.auth.reclaim, Reclaim::Open);
    assert_eq!(config.auth.token_keys[0].secret.expose_secret().len(), 32);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.log.level, "warn,cardroom=debug");
    assert_eq!(config.rate_limits.limit("vote:submit"), Some(20));
}

#[test]
fn client_url_is_one_more_origin() {
    let environment = [("CLIENT_URL", "https://Poker.example.org/, http://localhost:*")];
    let config = Given { environment: &environment, ..Given::default() }.load().expect("good");
    let expected = ["http://localhost:*", "http://127.0.0.1:*", "https://poker.example.org"];
    assert_eq!(config.server.origins, expected);

    let environment = [("CLIENT_URL", "poker.example.org")];
    let problems = Given { environment: &environment, ..Given::default() }.problems();
    let expected =
        "CLIENT_URL = \"poker.example.org\": must be an origin such as https://poker.example.org";
    assert_eq!(problems, [expected]);
}

#[test]
fn variables_that_a_cluster_sets_are_no_settings() {
    let environment = [
        ("CARDROOM_SERVICE_HOST", "10.0.0.1"),
        ("CARDROOM_PORT", "tcp://10.0.0.1:3000"),
        ("CARDROOM_PORT_3000_TCP_ADDR", "10.0.0.1"),
    ];
    assert!(Given { environment: &environment, ..Given::default() }.load().is_ok());
}

#[test]
fn all_problems_come_at_once_with_key_value_and_range() {
    let file = "[engine]\nping_interval_ms = 5\nping_timeout = 5\n[session]\nttl_ms = \"long\"\n[sesion]\nx = 1";
    let environment =
        [("CARDROOM_LISTEN", "1"), ("CARDROOM_LIMITS__PLAYERS_PER_SESSION_MAX", "-1")];
    let line = ["--set", "rate_limits.vote:steal=1", "--set", "rate_limits.vote:submit=0"];
    let given = Given { file, environment: &environment, line: &line };
    assert_eq!(
        given.problems(),
        [
            "engine.ping_interval_ms = 5: must be from 100 to 600000",
            "session.ttl_ms: must be from 300000 to 2592000000, found string \"long\"",
            "limits.players_per_session_max: must be from 2 to 10000, found signed int `-1`",
            "rate_limits.vote:submit = 0: must be from 1 to 100000",
            "engine.ping_timeout: is not a setting",
            "listen: is not a setting",
            "rate_limits.vote:steal: is not a setting",
            "sesion: is not a setting",
        ]
    );
    let text = given.load().expect_err("refused").to_string();
    assert!(
        text.starts_with("8 problems in the configuration\n  engine.ping_interval_ms = 5"),
        "{text}"
    );
    assert!(text.contains("(CARDROOM_LISTEN)") && text.contains("(command line)"), "{text}");
    assert!(text.contains("cardroom.toml)"), "{text}");
}

#[test]
fn every_kind_of_value_is_checked() {
    for (given, expected) in [
        ("server.origins=[\"good.example\"]", "is no origin"),
        ("server.origins=[\"https://a/path\"]", "is no origin"),
        ("server.origins=[\"https://user@a\"]", "is no origin"),
        ("server.origins=[\"https://a:70000\"]", "is no origin"),
        ("server.origins=\"https://a\"", "must be a sequence"),
        ("server.transports=[]", "must name at least one transport"),
        ("server.transports=[\"carrier-pigeon\"]", "must be one of websocket, polling"),
        ("server.trusted_proxies=[\"10.0.0.0/33\"]", "\"10.0.0.0/33\" is no address"),
        ("server.trusted_proxies=[\"10.0.0.0/8\", \"proxy.internal\"]", "\"proxy.internal\" is no"),
        ("server.trusted_proxies=[\"\"]", "no network such as 10.0.0.0/8"),
        ("server.trusted_proxies=10.0.0.0/8", "must be a sequence"),
        ("server.proxy_protocol=v1", "must be one of off, v2"),
        ("server.proxy_protocol=v2", "needs server.trusted_proxies"),
        ("limits.connections_per_address_max=0", "must be from 1 to 1000000"),
        ("server.listen=3000", "must be socket address"),
        ("server.connections_max=0", "must be from 1 to 1000000"),
        ("session.ttl_ms=299999", "must be from 300000 to 2592000000"),
        ("auth.reclaim=never", "must be one of token, open"),
        ("page.frame_ancestors=[\"*\"]", "must name the origins"),
        ("log.level=a=b=c", "must be a log filter"),
        ("log.format=xml", "must be one of text, json"),
    ] {
        let problems = set(given);
        assert_eq!(problems.len(), 1, "{given}: {problems:?}");
        assert!(problems[0].contains(expected), "{given}: {}", problems[0]);
    }
    for network in
        ["10.1.2.3", "10.1.2.3/8", "::1", "2001:db8::/32", "0.0.0.0/0", "::ffff:10.0.0.1"]
    {
        let pair = format!("server.trusted_proxies=[\"{network}\"]");
        assert!(Given { line: &["--set", &pair], ..Given::default() }.load().is_ok(), "{network}");
    }
    for origin in ["*", "https://a", "http://a:8080/", "http://[::1]:*", "capacitor://localhost"] {
        let pair = format!("server.origins=[\"{origin}\"]");
        assert!(Given { line: &["--set", &pair], ..Given::default() }.load().is_ok(), "{origin}");
    }
}

#[test]
fn secrets_are_never_shown() {
    let canary = "canary-0123456789abcdef0123456789";
    let good = format!("auth.token_keys=[{{kid=\"a\", secret=\"{canary}\"}}]");
    let config = Given { line: &["--set", &good], ..Given::default() }.load().expect("good");
    assert!(!format!("{config:?}").contains(canary));
    let toml = config.to_toml();
    assert!(toml.contains(r#"token_keys = [{ kid = "a", secret = "[redacted]" }]"#), "{toml}");

    for bad in [
        "auth.token_keys=[{kid=\"a\", secret=\"canary\"}]",
        "auth.token_keys=[{kid=\"a.b\", secret=\"canary-0123456789abcdef0123456789\"}]",
        "auth.token_keys=[{kid=\"a\", secret=\"canary\", canary=\"canary\"}]",
        "auth.token_keys=[{kid=\"a\", secret=123456}]",
        "auth.token_keys=canary",
    ] {
        let problems = set(bad);
        assert_eq!(problems.len(), 1, "{bad}");
        assert!(problems[0].starts_with("auth.token_keys: "), "{}", problems[0]);
        assert!(
            !problems[0].contains("canary") && !problems[0].contains("123456"),
            "{}",
            problems[0]
        );
    }
}

#[test]
fn the_password_of_redis_is_never_shown() {
    let line = ["--set", "redis.url=redis://poker:canary@redis.internal:6379/2"];
    let config = Given { line: &line, ..Given::default() }.load().expect("good");
    assert!(!config.redis.url.is_empty());
    let shown = "redis://[redacted]@redis.internal:6379/2";
    assert!(config.to_toml().contains(&format!("url = \"{shown}\"")), "{}", config.to_toml());
    let debug = format!("{config:?}");
    assert!(debug.contains(shown) && !debug.contains("canary"), "{debug}");

    for bad in ["redis.url=http://:canary@host", "redis.url=redis://", "redis.url=[\"canary\"]"] {
        let problems = set(bad);
        assert_eq!(problems.len(), 1, "{bad}");
        assert!(problems[0].starts_with("redis.url: "), "{}", problems[0]);
        assert!(!problems[0].contains("canary"), "{}", problems[0]);
    }
    assert_eq!(set("redis.key_prefix=a{b}").len(), 1);
}

#[test]
fn the_printed_configuration_can_be_read() {
    let line = ["--set", "engine.ping_interval_ms=5000", "--set", "rate_limits.heartbeat=60"];
    let config = Given { line: &line, ..Given::default() }.load().expect("good");
    let printed = config.to_toml();
    let again = Given { file: &printed, ..Given::default() }.load().expect("good");
    assert_eq!(again.engine.ping_interval_ms, 5_000);
    assert_eq!(again.to_toml(), printed);
}

#[test]
fn the_example_holds_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cardroom.example.toml");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, Config::example()).expect("written");
    }
    let example = fs::read_to_string(path).expect("an example");
    assert!(example == Config::example(), "run this test with BLESS=1");
    let read = Given { file: &example, ..Given::default() }.load().expect("good");
    assert_eq!(read.to_toml(), Config::default().to_toml());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let arguments = Arguments { config: Some("missing.toml".into()), ..Arguments::default() };
    let text = Config::load(&arguments, []).expect_err("refused").to_string();
    assert!(text.contains("there is no such file (missing.toml)"), "{text}");
    let file = "[auth]\ntoken_keys = [{ kid = \"a\", secret = \"canary }]";
    let text = Given { file, ..Given::default() }.load().expect_err("refused").to_string();
    assert!(text.contains("line 2") && !text.contains("canary"), "{text}");
    assert!(Arguments::try_parse_from(["cardroom", "--set", "nonsense"]).is_err());
}
