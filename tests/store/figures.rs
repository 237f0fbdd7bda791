//! The figures of instances in Redis, where the functions read them.

use std::time::Duration;

use serde_json::Value;

use cardroom::server::Stores;

use crate::seeing::house::{ADMINISTRATOR, House, get_as, value, vote};
use crate::store::redis_server::RedisServer;

/// One more instance on this Redis, with its directory quick to be told.
async fn instance(server: &RedisServer, prefix: &str) -> House {
    let mut config = House::config();
    config.instances.renew_ms = 100;
    config.admin.token = ADMINISTRATOR.into();
    config.server.drain_seconds = 1;
    House::on(&config, Stores::of(server.connect(prefix).await))
}

async fn status(house: &House) -> Value {
    value(&get_as(house.address, "/api/v1/status", ADMINISTRATOR).await, 200)
}

/// The figures as they lie in Redis, once they are such.
async fn figures(server: &RedisServer, key: &str, is_such: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..500 {
        let text: Option<String> = server.ask(&["HGET", key, "figures"]).await;
        if let Some(text) = text {
            let figures: Value = serde_json::from_str(&text).expect("JSON");
            if is_such(&figures) {
                return figures;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("they never came");
}

#[tokio::test]
async fn each_instance_writes_its_own_and_is_listed_until_it_retires() {
    let server = RedisServer::shared();
    let prefix = RedisServer::prefix();
    let here = instance(server, &prefix).await;
    let there = instance(server, &prefix).await;

    let mut ann = here.guest().await;
    let created = ann.create().await;
    let mut bob = there.guest().await;
    assert_eq!(bob.join(&created, "Bob").await["ok"], true);
    assert_eq!(bob.ask("vote:submit", vote("5")).await["ok"], true);
    ann.hears("vote:submitted").await;

    let id = status(&here).await["id"].as_str().expect("an id").to_owned();
    let other = status(&there).await["id"].as_str().expect("an id").to_owned();
    let key = format!("{prefix}instance:{id}");
    let own = figures(server, &key, |figures| figures["eventsTotal"] == 1).await;
    for (figure, expected) in
        [("connections", 1), ("sockets", 1), ("sessions", 1), ("seatsOnline", 1)]
    {
        assert_eq!(own[figure], expected, "{figure} of {own}");
    }
    assert_eq!(own["draining"], false);
    for figure in ["commitsTotal", "rssBytes", "cpuMs", "updatedAt"] {
        assert!(own[figure].as_u64().is_some_and(|number| 0 < number), "{figure} of {own}");
    }
    let theirs = format!("{prefix}instance:{other}");
    figures(server, &theirs, |figures| figures["eventsTotal"] == 2).await;

    // Both know of both.
    for house in [&here, &there] {
        let status = status(house).await;
        let instances = status["instances"].as_array().expect("a list").clone();
        let mut ids: Vec<&str> = instances.iter().filter_map(|one| one["id"].as_str()).collect();
        let mut expected = [id.as_str(), other.as_str()];
        ids.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ids, expected);
        assert_eq!(status["store"]["kind"], "memory", "the configuration names no Redis");
        assert_eq!(status["store"]["ready"], true);
    }
    let list = format!("{prefix}instances");
    let listed: Vec<String> = server.ask(&["ZRANGE", &list, "0", "-1"]).await;
    assert_eq!(listed.len(), 2);

    // One goes.
    drop(bob);
    there.close();
    for _ in 0..500 {
        let listed: Vec<String> = server.ask(&["ZRANGE", &list, "0", "-1"]).await;
        if listed == [id.clone()] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = status(&here).await;
    assert_eq!(status["instances"].as_array().map(Vec::len), Some(1));
    assert_eq!(status["instances"][0]["id"], id.as_str());
    let gone: u64 = server.ask(&["EXISTS", &theirs]).await;
    assert_eq!(gone, 0);
}

#[tokio::test]
async fn without_redis_the_numbers_go_on_and_say_so() {
    let server = RedisServer::start();
    let house = instance(&server, "away:").await;
    house.scrape_until(|samples| samples.get("cardroom_store_up") == 1.0).await;
    let mut ann = house.guest().await;
    assert_eq!(ann.create().await["ok"], true);
    server.kill();
    let samples = house.scrape_until(|samples| samples.get("cardroom_store_up") == 0.0).await;
    assert_eq!(samples.get("cardroom_sessions"), 1.0);
    let status = status(&house).await;
    assert_eq!(status["store"]["ready"], false);
    assert_eq!(status["instances"], Value::Null);
    assert_eq!(status["figures"]["connections"], 1);
}
