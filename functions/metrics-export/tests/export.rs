//! The binary as Lambda runs it: by the schedule, over HTTP and when a task
//! leaves, while Redis is well, away, slow and back again.

use std::time::Duration;

use cardroom::poker::ids::{InstanceId, Millis};
use cardroom::store::{Directory, Figures, InstanceRecord, SessionStore};
use functions_testkit::{
    AS_DEPLOYED, Ended, Function, Host, KEY_PREFIX, Outcome, Proxy, RedisServer, SESSION_TOKEN,
    SecretsExtension, event,
};
use serde_json::{Value, json};
use tokio::time::sleep;

const BINARY: &str = env!("CARGO_BIN_EXE_metrics-export");
const REDIS_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:poker/redis-url-1";
const TASK: &str = "arn:aws:ecs:eu-west-1:123456789012:task/poker/c13b4cb40f1f4fe4a2971f76ae5a47ad";
const LEASE_MS: u64 = 60_000;

/// Long before whatever is waited for would come.
const SOON: Duration = Duration::from_secs(20);

async fn start(redis_url: &str) -> Function {
    start_with(redis_url, &[]).await
}

async fn start_with(redis_url: &str, more: &[(&str, &str)]) -> Function {
    let environment = [
        ("CARDROOM_REDIS__URL", redis_url),
        ("CARDROOM_REDIS__KEY_PREFIX", KEY_PREFIX),
        ("CARDROOM_SERVER__ORIGINS", r#"["https://poker.example.org"]"#),
        ("CARDROOM_LOG__LEVEL", "trace"),
        ("METRICS_NAMESPACE", "cardroom"),
        ("METRICS_SERVICE", "poker"),
    ];
    Function::start(BINARY, &[&environment[..], more].concat()).await
}

/// Ends it; what it wrote has no secrets, and its output is EMF.
async fn end(function: Function) -> Ended {
    let ended = function.end().await;
    assert_eq!(ended.init_errors, Vec::<String>::new());
    ended.assert_silent_about(&["canary", SESSION_TOKEN]);
    ended.out.lines().for_each(|line| {
        emf(line);
    });
    ended
}

fn instance(number: u64, figures: Figures) -> InstanceRecord {
    InstanceRecord {
        id: InstanceId(number),
        address: format!("10.0.0.{number}:3000"),
        task: Some(format!("{TASK}{number}")),
        started: Millis(1),
        figures,
    }
}

/// Two instances that serve, one of them on its way out.
async fn announce_two(host: &Host) {
    let figures = Figures {
        connections: 30,
        sockets: 29,
        sessions: 3,
        seats_online: 12,
        events_total: 100,
        updated_at: host.store.now(),
        ..Figures::default()
    };
    let leaving = Figures { connections: 10, draining: true, ..figures.clone() };
    for record in [instance(1, figures), instance(2, leaving)] {
        host.store.announce(record, LEASE_MS).await.expect("announced");
    }
}

/// The line by the specification of the Embedded Metric Format, and within the
/// limits of CloudWatch.
#[track_caller]
fn emf(line: &str) -> Value {
    assert!(line.len() < 256 * 1_024 && line.starts_with('{'), "{line}");
    let root: Value = serde_json::from_str(line).expect("one JSON object a line");
    let object = root.as_object().expect("an object");
    let metadata = root["_aws"].as_object().expect("_aws");
    assert!(metadata["Timestamp"].as_u64().is_some_and(|ms| 1_600_000_000_000 < ms));
    let directives = metadata["CloudWatchMetrics"].as_array().expect("directives");
    assert!(!directives.is_empty());
    for directive in directives {
        let namespace = directive["Namespace"].as_str().expect("a namespace");
        assert!((1..=1_024).contains(&namespace.len()) && !namespace.starts_with("AWS/"));
        let sets = directive["Dimensions"].as_array().expect("dimension sets");
        assert!(!sets.is_empty());
        for set in sets {
            let names = set.as_array().expect("a set");
            assert!(names.len() <= 30);
            for name in names {
                let value = &object[name.as_str().expect("a name")];
                let value = value.as_str().expect("dimensions are text at the root");
                assert!((1..=1_024).contains(&value.len()));
            }
        }
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            let name = metric["Name"].as_str().expect("a name");
            assert!((1..=1_024).contains(&name.len()));
            assert_eq!(metric["Unit"], "Count");
            assert!([json!(1), json!(60)].contains(&metric["StorageResolution"]));
            assert!(object[name].is_number(), "{name} is no number at the root: {line}");
        }
    }
    root
}

fn metrics(root: &Value) -> Vec<&str> {
    let metrics = root["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().expect("metrics");
    metrics.iter().filter_map(|metric| metric["Name"].as_str()).collect()
}

#[tokio::test]
async fn the_schedule_prints_the_figures_of_all_once() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    announce_two(&host).await;
    // One that went without a goodbye.
    host.store.announce(instance(3, Figures::default()), 1).await.expect("announced");
    sleep(Duration::from_millis(20)).await;

    let function = start(&redis.url()).await;
    let reply = function.invoke(&event("scheduler")).await;
    assert_eq!(reply.response(), &json!({ "exported": true }));
    let line = emf(&function.said(1).await[0]);
    let mut names = metrics(&line);
    names.sort_unstable();
    assert_eq!(
        names,
        ["Connections", "ConnectionsPerTask", "ExportFailures", "Nodes", "Rooms", "StaleNodes"]
    );
    assert_eq!(line["Service"], "poker");
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "cardroom");
    let counts = ["Connections", "ExportFailures", "Nodes", "Rooms", "StaleNodes"];
    assert_eq!(counts.map(|name| line[name].as_u64()), [40, 0, 2, 6, 1].map(Some));
    // Both are carried by the one that stays.
    assert_eq!(line["ConnectionsPerTask"], 40.0);

    // Schedules call twice now and then, and another environment answers.
    let second = start(&redis.url()).await;
    assert_eq!(second.invoke(&json!({})).await.response(), &json!({ "exported": false }));
    assert_eq!(end(second).await.out, "");
    assert_eq!(end(function).await.out.lines().count(), 1);
}

#[tokio::test]
async fn without_redis_it_fails_and_says_no_zero() {
    let mut redis = RedisServer::start();
    redis.kill();
    let function = start(&redis.url()).await;
    let reply = function.invoke(&json!({})).await;
    assert!(reply.error()["errorMessage"].is_string());
    assert!(reply.took < SOON, "{:?}", reply.took);
    let line = emf(&function.said(1).await[0]);
    assert_eq!((metrics(&line), &line["ExportFailures"]), (vec!["ExportFailures"], &json!(1)));
    for name in ["Connections", "ConnectionsPerTask", "Nodes"] {
        assert!(line.get(name).is_none(), "{name} is not known");
    }
    let page = function.invoke(&event("function-url-metrics")).await;
    assert_eq!((page.status(), page.header("retry-after")), (503, Some("5")));

    redis.come_back();
    let host = Host::at(&redis).await;
    announce_two(&host).await;
    assert_eq!(function.invoke(&json!({})).await.response(), &json!({ "exported": true }));
    assert_eq!(emf(&function.said(2).await[1])["Connections"], 40);
    end(function).await;
}

#[tokio::test]
async fn an_empty_directory_is_not_zero_connections() {
    let redis = RedisServer::start();
    let function = start(&redis.url()).await;
    assert_eq!(function.invoke(&json!({})).await.response(), &json!({ "exported": true }));
    let line = emf(&function.said(1).await[0]);
    assert_eq!(line["Nodes"], 0);
    assert!(line.get("Connections").is_none() && line.get("ConnectionsPerTask").is_none());
    end(function).await;
}

#[tokio::test]
async fn a_slow_redis_is_a_failure_and_a_dead_connection_is_not() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    announce_two(&host).await;
    let proxy = Proxy::to(redis.port()).await;
    let function = start_with(&redis.url_at(proxy.port()), &AS_DEPLOYED).await;
    let page = event("function-url-metrics");
    for _ in 0..3 {
        assert_eq!(function.invoke(&page).await.status(), 200, "{}", function.logged());
        proxy.cut();
    }
    proxy.delay(Duration::from_secs(60));
    let late = function.invoke(&page).await;
    assert_eq!(late.status(), 503);
    assert!(late.took < SOON, "{:?}", late.took);
    assert!(function.invoke(&json!({})).await.error()["errorMessage"].is_string());
    assert_eq!(emf(&function.said(1).await[0])["ExportFailures"], 1);
    proxy.delay(Duration::ZERO);
    assert_eq!(function.invoke_in_vain(&page, 503).await.status(), 200);
    end(function).await;
}

#[tokio::test]
async fn prometheus_reads_all_instances_at_one_place() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    announce_two(&host).await;
    let function = start(&redis.url()).await;
    let page = event("function-url-metrics");
    let reply = function.invoke(&page).await;
    assert_eq!(reply.status(), 200);
    let content_type = reply.header("content-type");
    assert_eq!(content_type, Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = reply.text();
    for sample in [
        "cardroom_fleet_connections 40",
        "cardroom_fleet_sessions 6",
        "cardroom_fleet_instances 2",
        "cardroom_fleet_instances_draining 1",
        "cardroom_fleet_events_total{instance_id=\"0000000000000001\"} 100",
    ] {
        assert!(text.lines().any(|line| line == sample), "{sample} in {text}");
    }

    let mut elsewhere = page.clone();
    elsewhere["rawPath"] = "/".into();
    assert_eq!(function.invoke(&elsewhere).await.status(), 404);
    let mut posted = page.clone();
    posted["requestContext"]["http"]["method"] = "POST".into();
    let refused = function.invoke(&posted).await;
    assert_eq!((refused.status(), refused.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    assert_eq!(end(function).await.out, "", "a fetch is no export");
}

#[tokio::test]
async fn the_instance_of_a_task_that_leaves_is_told() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    let leaving = InstanceRecord { task: Some(TASK.to_owned()), ..instance(7, Figures::default()) };
    let staying = instance(8, Figures::default());
    for record in [&leaving, &staying] {
        host.store.announce(record.clone(), LEASE_MS).await.expect("announced");
    }
    let asked = async |record: &InstanceRecord| {
        let announced = host.store.announce(record.clone(), LEASE_MS).await.expect("announced");
        announced.is_asked_to_drain
    };
    let function = start(&redis.url()).await;
    let mut other = event("ecs-task-deactivating");
    other["detail"]["lastStatus"] = "RUNNING".into();
    assert_eq!(function.invoke(&other).await.response(), &json!({ "ignored": true }));
    assert!(!asked(&leaving).await);

    // Events may come twice.
    for _ in 0..2 {
        let reply = function.invoke(&event("ecs-task-deactivating")).await;
        assert_eq!(reply.response(), &json!({ "draining": "0000000000000007" }));
    }
    assert_eq!((asked(&leaving).await, asked(&staying).await), (true, false));

    // One that is gone already, or never was an instance, needs no word.
    let mut unknown = event("ecs-task-deactivating");
    unknown["detail"]["taskArn"] = format!("{TASK}0").into();
    assert_eq!(function.invoke(&unknown).await.response(), &json!({ "draining": null }));
    let ended = end(function).await;
    assert!(ended.errors.contains("3317b2af-7005-947d-b652-f55e762e571a"), "{}", ended.errors);
}

#[tokio::test]
async fn a_drain_that_nobody_could_be_told_fails_so_that_it_comes_again() {
    let mut redis = RedisServer::start();
    redis.kill();
    let function = start(&redis.url()).await;
    let reply = function.invoke(&event("ecs-task-deactivating")).await;
    assert!(reply.error()["errorMessage"].is_string());
    assert_eq!(end(function).await.out, "", "no figure was asked for");
}

#[tokio::test]
async fn what_is_no_event_fails_and_the_next_one_does_not() {
    let redis = RedisServer::start();
    let function = start(&redis.url()).await;
    let huge = format!(r#"{{"x":"{}"}}"#, "y".repeat(1_000_000));
    let unknown = json!({ "detail-type": "EC2 Spot Instance Interruption Warning" }).to_string();
    for text in ["", "null", "[", "5", &unknown, &huge] {
        let reply = function.invoke_text((*text).to_owned(), Duration::from_secs(5)).await;
        let Outcome::Error(error) = reply.outcome else { panic!("{text:.40}: {reply:?}") };
        assert!(error["errorMessage"].as_str().is_some_and(|text| text.len() < 500), "{error}");
    }
    assert_eq!(function.invoke(&event("function-url-metrics")).await.status(), 200);
    end(function).await;
}

#[tokio::test]
async fn the_url_comes_from_the_extension() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    announce_two(&host).await;
    let url = redis.url();
    let extension = SecretsExtension::start(&[(REDIS_ARN, &url)]).await;
    let variables = extension.variables();
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let environment =
        [("SECRET_ARN_CARDROOM_REDIS__URL", REDIS_ARN), ("CARDROOM_REDIS__KEY_PREFIX", KEY_PREFIX)];
    let function = Function::start(BINARY, &[&environment[..], &variables[..]].concat()).await;
    assert_eq!(function.invoke(&json!({})).await.response(), &json!({ "exported": true }));
    assert_eq!(emf(&function.said(1).await[0])["Service"], "cardroom");
    assert_eq!(extension.requests(), 1);
    end(function).await;
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
            "METRICS_NAMESPACE",
            "METRICS_SERVICE",
            "SECRET_ARN_CARDROOM_REDIS__URL",
        ]
    );
}

#[tokio::test]
#[allow(clippy::print_stdout, reason = "they are to be read")]
async fn cold_start_and_size_are_said() {
    let redis = RedisServer::start();
    let host = Host::at(&redis).await;
    announce_two(&host).await;
    let page = event("function-url-metrics");
    let mut cold = Vec::new();
    let mut warm = Vec::new();
    for _ in 0..5 {
        let began = tokio::time::Instant::now();
        let function = start(&redis.url()).await;
        assert_eq!(function.invoke(&page).await.status(), 200);
        cold.push(began.elapsed());
        warm.push(function.invoke(&page).await.took);
        function.end().await;
    }
    cold.sort_unstable();
    warm.sort_unstable();
    let size = Function::size(BINARY);
    println!(
        "metrics-export: {size} bytes; from its start to its first answer {:?}, the next {:?}",
        cold[2], warm[2]
    );
    assert!(cold[2] < Duration::from_secs(2), "{cold:?}");
}
