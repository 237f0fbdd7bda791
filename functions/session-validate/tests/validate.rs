//! The binary as Lambda runs it, asked by each of those who may call it, while
//! Redis is well, away, slow and back again.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use functions_testkit::{
    AS_DEPLOYED, Ended, Function, Host, KEY_PREFIX, Outcome, Proxy, RedisServer, Reply,
    SESSION_TOKEN, SecretsExtension, Table, event,
};
use serde_json::{Value, json};
use tokio::time::sleep;

const BINARY: &str = env!("CARGO_BIN_EXE_session-validate");
const CALLERS: [&str; 3] = ["alb", "api-gateway-v2", "function-url"];
const REDIS_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/redis-url-1";
const KEYS_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/token-keys-1";

/// A function, what it asks, and who opens sessions for it.
struct House {
    redis: RedisServer,
    host: Host,
    function: Function,
}

impl House {
    async fn open() -> Self {
        let redis = RedisServer::start();
        let host = Host::at(&redis).await;
        let function = start(&redis.url()).await;
        Self { redis, host, function }
    }

    async fn ask(&self, session: &str, token: &str) -> Reply {
        self.function.invoke(&asked("alb", session, token)).await
    }

    async fn ask_for(&self, table: &Table, token: &str) -> Reply {
        self.ask(&table.session.to_string(), token).await
    }

    async fn end(self) -> Ended {
        let ended = self.function.end().await;
        assert_eq!(ended.init_errors, Vec::<String>::new());
        ended.assert_silent_about(&["canary", "cr1.", self.redis.password()]);
        assert_eq!(ended.out, "", "standard output is not for logs");
        ended
    }
}

/// Long before whatever is waited for would come.
const SOON: Duration = Duration::from_secs(20);

async fn start(redis_url: &str) -> Function {
    start_with(redis_url, &[]).await
}

async fn start_with(redis_url: &str, more: &[(&str, &str)]) -> Function {
    let keys = Host::token_keys();
    let environment = [
        ("CARDROOM_REDIS__URL", redis_url),
        ("CARDROOM_AUTH__TOKEN_KEYS", &keys),
        ("CARDROOM_REDIS__KEY_PREFIX", KEY_PREFIX),
        ("CARDROOM_SERVER__ORIGINS", r#"["https://poker.example.org"]"#),
        ("CARDROOM_LOG__LEVEL", "trace"),
        ("CARDROOM_LOG__FORMAT", "json"),
    ];
    Function::start(BINARY, &[&environment[..], more].concat()).await
}

fn asked(caller: &str, session: &str, token: &str) -> Value {
    with_body(caller, &json!({ "sessionId": session, "playerToken": token }).to_string())
}

fn with_body(caller: &str, body: &str) -> Value {
    let mut event = event(caller);
    event["body"] = match event["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.encode(body).into(),
        _ => body.into(),
    };
    event
}

#[track_caller]
fn assert_problem(reply: &Reply, status: u64, code: &str) {
    assert_eq!((reply.status(), &reply.json()["code"]), (status, &json!(code)), "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.header("x-request-id").is_some());
}

#[tokio::test]
async fn each_caller_hears_in_its_own_form_what_a_token_is_worth() {
    let house = House::open().await;
    let table = house.host.open(1).await;
    let token = house.host.token(&table);
    for caller in CALLERS {
        for session in [table.session.to_string(), table.code.to_string()] {
            let reply = house.function.invoke(&asked(caller, &session, &token)).await;
            assert_eq!(reply.status(), 200, "{caller}: {reply:?}");
            let body = reply.json();
            assert_eq!(body["valid"], true);
            assert_eq!(body["sessionId"], table.session.to_string());
            assert_eq!(body["playerId"], table.host.to_string());
            assert_eq!(body["role"], "host");
            assert_eq!(body["can"]["manage"], true);
            assert!(body["expiresAt"].as_str().is_some_and(|text| text.ends_with('Z')));
            assert_eq!(reply.header("content-type"), Some("application/json"));
            assert_eq!(reply.header("cache-control"), Some("no-store"));
            assert!(reply.header("vary").is_some_and(|vary| vary.contains("Origin")));
            assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        }
    }
    let alb = house.function.invoke(&asked("alb", &table.session.to_string(), &token)).await;
    assert_eq!(alb.response()["statusDescription"], "200 OK");
    assert!(alb.response()["multiValueHeaders"]["content-type"].is_array());
    house.end().await;
}

#[tokio::test]
async fn what_is_refused_has_the_codes_of_the_handshake() {
    let house = House::open().await;
    let table = house.host.open(1).await;
    let other = house.host.open(2).await;
    let token = house.host.token(&table);

    assert_problem(&house.ask_for(&other, &token).await, 401, "INVALID_PLAYER_TOKEN");
    let code = other.code.to_string();
    assert_problem(&house.ask(&code, &token).await, 401, "INVALID_PLAYER_TOKEN");
    assert_problem(&house.ask("ABCDEFGH", &token).await, 404, "SESSION_NOT_FOUND");
    assert_problem(&house.ask("no session", &token).await, 400, "BAD_REQUEST");

    let forged = format!("{}x", &token[..token.len() - 1]);
    let expired = house.host.token_of(&table, 0, -1);
    let revoked = house.host.token_of(&table, 3, 60_000);
    let mut bodies = Vec::new();
    for bad in [forged.as_str(), expired.as_str(), revoked.as_str(), "cr1.k1.aaaaaaaaaaaa.bbbb"] {
        let reply = house.ask_for(&table, bad).await;
        assert_problem(&reply, 401, "INVALID_PLAYER_TOKEN");
        let challenge = reply.header("www-authenticate");
        assert_eq!(challenge, Some("Bearer realm=\"cardroom\", error=\"invalid_token\""));
        bodies.push(reply.text().to_owned());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "one answer for all of them");

    house.host.close(&table).await;
    assert_problem(&house.ask_for(&table, &token).await, 410, "SESSION_ENDED");
    house.end().await;
}

#[tokio::test]
async fn what_is_no_question_is_refused_before_anybody_is_asked() {
    // Nothing listens there: whoever asked would hear 503.
    let function = start("redis://:canary@127.0.0.1:1").await;
    let valid = asked("alb", "ABCDEFGH", "cr1.k1.aaaaaaaaaaaa.bbbb");
    let with = |change: &dyn Fn(&mut Value)| {
        let mut event = valid.clone();
        change(&mut event);
        event
    };
    let header =
        |name: &str, value: &str| with(&|event| event["multiValueHeaders"][name] = json!([value]));

    let elsewhere = with(&|event| event["path"] = "/api/v1/sessions".into());
    assert_problem(&function.invoke(&elsewhere).await, 404, "NOT_FOUND");
    let get = function.invoke(&with(&|event| event["httpMethod"] = "GET".into())).await;
    assert_problem(&get, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(get.header("allow"), Some("POST, OPTIONS"));
    let form = header("content-type", "application/x-www-form-urlencoded");
    assert_problem(&function.invoke(&form).await, 415, "UNSUPPORTED_MEDIA_TYPE");
    let packed = header("content-encoding", "gzip");
    assert_problem(&function.invoke(&packed).await, 415, "UNSUPPORTED_MEDIA_TYPE");

    for body in ["", "{", "[]", "5", r#"{"sessionId":"ABCDEFGH"}"#, "{\"sessionId\":5}", "\u{0}"] {
        assert_problem(&function.invoke(&with_body("alb", body)).await, 400, "BAD_REQUEST");
    }
    let deep = format!(r#"{{"sessionId":{}{}}}"#, "[".repeat(50), "]".repeat(50));
    assert_problem(&function.invoke(&with_body("alb", &deep)).await, 400, "BAD_REQUEST");
    let huge = format!(r#"{{"sessionId":"{}"}}"#, "A".repeat(9_000));
    assert_problem(&function.invoke(&with_body("alb", &huge)).await, 413, "PAYLOAD_TOO_LARGE");

    let token = asked("alb", "ABCDEFGH", "cr1.k1.aaaaaaaaaaaa.bbbb");
    assert_problem(&function.invoke(&token).await, 401, "INVALID_PLAYER_TOKEN");
    let ended = function.end().await;
    ended.assert_silent_about(&["canary", "cr1."]);
}

#[tokio::test]
async fn only_pages_of_the_list_may_ask() {
    let house = House::open().await;
    let table = house.host.open(1).await;
    let token = house.host.token(&table);
    let from = |origin: &str| {
        let mut event = asked("alb", &table.session.to_string(), &token);
        event["multiValueHeaders"]["origin"] = json!([origin]);
        event["multiValueHeaders"]["host"] = json!(["internal.example.org"]);
        event
    };
    let listed = house.function.invoke(&from("https://poker.example.org")).await;
    assert_eq!(listed.status(), 200);
    let allowed = listed.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://poker.example.org"));
    assert_eq!(listed.header("access-control-allow-credentials"), Some("true"));
    for origin in ["https://evil.example", "https://poker.example.org.evil.example", "null"] {
        let reply = house.function.invoke(&from(origin)).await;
        assert_problem(&reply, 403, "ORIGIN_NOT_ALLOWED");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }

    let mut preflight = from("https://poker.example.org");
    preflight["httpMethod"] = "OPTIONS".into();
    preflight["multiValueHeaders"]["access-control-request-headers"] = json!(["content-type"]);
    let reply = house.function.invoke(&preflight).await;
    assert_eq!(reply.status(), 204);
    assert_eq!(reply.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    assert_eq!(reply.header("access-control-allow-headers"), Some("content-type"));
    assert_eq!(reply.header("access-control-max-age"), Some("600"));
    house.end().await;
}

#[tokio::test]
async fn without_redis_it_starts_and_says_neither_yes_nor_no() {
    let mut house = House::open().await;
    let table = house.host.open(1).await;
    let token = house.host.token(&table);
    house.redis.kill();

    let health = house.function.invoke(&event("alb-health")).await;
    assert_eq!((health.status(), health.json()), (200, json!({ "status": "ok" })));
    for _ in 0..2 {
        let reply = house.ask_for(&table, &token).await;
        assert_problem(&reply, 503, "STATE_UNAVAILABLE");
        assert_eq!(reply.header("retry-after"), Some("1"));
        assert!(reply.took < SOON, "{:?}", reply.took);
    }
    // What can be told without it is told.
    assert_problem(&house.ask_for(&table, &format!("{token}x")).await, 401, "INVALID_PLAYER_TOKEN");

    house.redis.come_back();
    let host = Host::at(&house.redis).await;
    let again = host.open(1).await;
    assert_eq!(house.ask_for(&again, &token).await.status(), 200);
    house.end().await;
}

#[tokio::test]
async fn a_connection_that_died_while_frozen_costs_nobody_an_answer() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    let proxy = Proxy::to(redis.port()).await;
    let function = start(&redis.url_at(proxy.port())).await;
    for number in 1..5 {
        let table = host.open(number).await;
        let event = asked("alb", &table.session.to_string(), &host.token(&table));
        let reply = function.invoke(&event).await;
        assert_eq!(reply.status(), 200, "{reply:?} {}", function.logged());
        proxy.cut();
    }
    function.end().await.assert_silent_about(&["canary", "cr1."]);
}

#[tokio::test]
async fn a_slow_redis_is_not_waited_for() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    let table = host.open(1).await;
    let proxy = Proxy::to(redis.port()).await;
    let function = start_with(&redis.url_at(proxy.port()), &AS_DEPLOYED).await;
    let event = asked("alb", &table.session.to_string(), &host.token(&table));

    proxy.delay(Duration::from_secs(60));
    let reply = function.invoke(&event).await;
    assert_problem(&reply, 503, "STATE_UNAVAILABLE");
    assert!(reply.took < SOON, "{:?}", reply.took);

    // Nor until Lambda ends the process.
    let reply = function.invoke_text(event.to_string(), Duration::from_millis(250)).await;
    assert_problem(&reply, 503, "STATE_UNAVAILABLE");

    proxy.delay(Duration::ZERO);
    // The next one does not wait for answers to the last.
    assert_eq!(function.invoke_in_vain(&event, 503).await.status(), 200);
    function.end().await.assert_silent_about(&["canary", "cr1."]);
}

#[tokio::test]
async fn a_yes_is_remembered_for_five_seconds_and_a_no_is_not() {
    let mut house = House::open().await;
    let table = house.host.open(1).await;
    let token = house.host.token(&table);
    let refused = house.host.token_of(&table, 3, 60_000);
    assert_eq!(house.ask_for(&table, &token).await.status(), 200);
    assert_problem(&house.ask_for(&table, &refused).await, 401, "INVALID_PLAYER_TOKEN");

    house.redis.kill();
    assert_eq!(house.ask_for(&table, &token).await.status(), 200);
    assert_problem(&house.ask_for(&table, &refused).await, 503, "STATE_UNAVAILABLE");
    sleep(Duration::from_millis(5_100)).await;
    assert_problem(&house.ask_for(&table, &token).await, 503, "STATE_UNAVAILABLE");
    house.end().await;
}

#[tokio::test]
async fn codes_cannot_be_tried_for_ever() {
    let house = House::open().await;
    let table = house.host.open(1).await;
    let token = house.host.token(&table);
    for number in 0..20 {
        let guess = format!("ABCDEF{number:02}");
        assert_problem(&house.ask(&guess, &token).await, 404, "SESSION_NOT_FOUND");
    }
    let reply = house.ask("ABCDEFGH", &token).await;
    assert_problem(&reply, 429, "RATE_LIMITED");
    assert!(reply.header("retry-after").is_some());
    assert_eq!(house.ask_for(&table, &token).await.status(), 200, "ids are no guesses");
    house.end().await;
}

#[tokio::test]
async fn secrets_come_from_the_extension_when_they_are_needed() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    let table = host.open(1).await;
    let (url, keys) = (redis.url(), Host::token_keys());
    let extension = SecretsExtension::start(&[(REDIS_ARN, &url), (KEYS_ARN, &keys)]).await;
    extension.refuse(2);
    let variables = extension.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let environment = [
        ("SECRET_ARN_CARDROOM_REDIS__URL", REDIS_ARN),
        ("SECRET_ARN_CARDROOM_AUTH__TOKEN_KEYS", KEYS_ARN),
        ("CARDROOM_REDIS__KEY_PREFIX", KEY_PREFIX),
        ("CARDROOM_LOG__LEVEL", "trace"),
    ];
    let function = Function::start(BINARY, &[&environment[..], &variables[..]].concat()).await;
    assert_eq!(function.invoke(&event("alb-health")).await.status(), 200);
    assert_eq!(extension.requests(), 0, "not before they are needed");

    let event = {
        let mut event = asked("alb", &table.session.to_string(), &host.token(&table));
        event["multiValueHeaders"]["origin"] = json!(["https://poker.example.org"]);
        event
    };
    assert_eq!(function.invoke(&event).await.status(), 200);
    assert_eq!(extension.requests(), 4, "two that were too early, then one for each");
    assert_eq!(function.invoke(&event).await.status(), 200);
    assert_eq!(extension.requests(), 4, "they are kept");
    function.end().await.assert_silent_about(&["canary", "cr1.", SESSION_TOKEN]);
}

#[tokio::test]
async fn without_secrets_nobody_can_say() {
    let extension = SecretsExtension::start(&[]).await;
    let variables = extension.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let environment = [("SECRET_ARN_CARDROOM_AUTH__TOKEN_KEYS", KEYS_ARN)];
    let function = Function::start(BINARY, &[&environment[..], &variables[..]].concat()).await;
    let event = asked("function-url", "ABCDEFGH", "cr1.k1.aaaaaaaaaaaa.bbbb");
    assert_problem(&function.invoke(&event).await, 503, "STATE_UNAVAILABLE");
    let ended = function.end().await;
    assert!(ended.errors.contains("the extension says 404"), "{}", ended.errors);
}

#[tokio::test]
async fn what_is_no_request_fails_and_the_next_one_does_not() {
    let house = House::open().await;
    let table = house.host.open(1).await;
    let token = house.host.token(&table);
    let huge = format!(r#"{{"{}":1}}"#, "x".repeat(5_000_000));
    for text in ["{}", "null", "[", "", "\"text\"", &huge] {
        let reply = house.function.invoke_text((*text).to_owned(), Duration::from_secs(5)).await;
        let Outcome::Error(error) = reply.outcome else { panic!("{text}: {reply:?}") };
        assert!(error["errorType"].is_string() && error["errorMessage"].is_string(), "{error}");
        assert_eq!(house.ask_for(&table, &token).await.status(), 200, "after {text:.40}");
    }
    let mut hostile = event("alb");
    hostile["path"] = "/api/v1/ sessions\u{7f}/validate".into();
    assert_problem(&house.function.invoke(&hostile).await, 404, "NOT_FOUND");
    house.end().await;
}

#[tokio::test]
async fn the_environment_is_printed_by_its_names() {
    let printed = Function::print(BINARY, "--print-environment").await;
    let mut names: Vec<&str> = printed.lines().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "CARDROOM_LOG__FORMAT",
            "CARDROOM_LOG__LEVEL",
            "CARDROOM_REDIS__KEY_PREFIX",
            "CARDROOM_SERVER__ORIGINS",
            "SECRET_ARN_CARDROOM_AUTH__TOKEN_KEYS",
            "SECRET_ARN_CARDROOM_REDIS__URL",
        ]
    );
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "they are to be read")]
async fn cold_start_and_size_are_said() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    let table = host.open(1).await;
    let event = asked("alb", &table.session.to_string(), &host.token(&table));
    let mut cold = Vec::new();
    let mut warm = Vec::new();
    for _ in 0..5 {
        let began = tokio::time::Instant::now();
        let function = start(&redis.url()).await;
        assert_eq!(function.invoke(&event).await.status(), 200);
        cold.push(began.elapsed());
        // Another question, so that Redis is asked again.
        let code = asked("alb", &table.code.to_string(), &host.token(&table));
        warm.push(function.invoke(&code).await.took);
        function.end().await;
    }
    cold.sort_unstable();
    warm.sort_unstable();
    let size = Function::size(BINARY);
    println!(
        "session-validate: {size} bytes; from its start to its first answer {:?}, the next {:?}",
        cold[2], warm[2]
    );
    assert!(cold[2] < Duration::from_secs(2), "{cold:?}");
}
