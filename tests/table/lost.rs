//! Two instances serve a session, and Redis loses it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use cardroom::connection::{Connections, Upper};
use cardroom::hub::Hub;
use cardroom::identity::Keyring;
use cardroom::server::Stores;
use cardroom::table::{Table, TableOptions};

use super::{Guest, vote};
use crate::store::redis_server::RedisServer;
use crate::support::eio::{join_websocket, patient, serve};

/// A host at one instance, a guest at the other.
async fn two_instances(server: &RedisServer) -> (Guest, Guest) {
    let prefix = RedisServer::prefix();
    let mut guests = Vec::new();
    for _ in 0..2 {
        let Stores { sessions, directory } = Stores::of(server.connect(&prefix).await);
        let keyring = Keyring::ephemeral([7; 32]);
        let table = Table::new(sessions, directory, Hub::new(), keyring, TableOptions::default());
        let server = serve(Connections::new(patient(), Upper::SocketIo(Arc::new(table))));
        guests.push(Guest { socket: join_websocket(server).await, asked: 0 });
    }
    let (mut guest, mut host) = (guests.pop().expect("two"), guests.pop().expect("two"));
    let created = host.ask("session:create", json!({"name": "Sprint", "playerName": "Ann"})).await;
    let join = json!({"sessionId": created["code"], "playerName": "Bob"});
    assert_eq!(guest.ask("session:join", join).await["ok"], true);
    host.hears("player:joined").await;
    (host, guest)
}

/// Redis is emptied; the votes of before count, and play goes on.
async fn play_on(host: &mut Guest, guest: &mut Guest) {
    let accepted = loop {
        let answer = host.ask("vote:submit", vote("5")).await;
        // While Redis is away, clients try again.
        if answer["error"]["code"] != "STATE_UNAVAILABLE" {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(accepted["ok"], true, "{accepted}");
    while guest.hears("vote:submitted").await["seq"] != accepted["seq"] {}
    assert_eq!(host.ask("cards:reveal", json!({})).await["ok"], true);
    let revealed = guest.hears("cards:revealed").await;
    assert_eq!(revealed["votes"].as_array().map(Vec::len), Some(2), "{revealed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_outlive_a_redis_that_is_emptied() {
    let server = RedisServer::start();
    let (mut host, mut guest) = two_instances(&server).await;
    assert_eq!(guest.ask("vote:submit", vote("8")).await["ok"], true);
    host.hears("vote:submitted").await;
    let () = server.ask(&["FLUSHALL"]).await;
    play_on(&mut host, &mut guest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn votes_outlive_a_redis_that_is_restarted() {
    let server = RedisServer::start();
    let (mut host, mut guest) = two_instances(&server).await;
    assert_eq!(guest.ask("vote:submit", vote("8")).await["ok"], true);
    host.hears("vote:submitted").await;
    let port = server.kill();
    let _server = tokio::task::block_in_place(|| RedisServer::start_at(port));
    play_on(&mut host, &mut guest).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loss_is_noticed_though_nobody_does_anything() {
    let server = RedisServer::start();
    let (_host, _guest) = two_instances(&server).await;
    let () = server.ask(&["FLUSHALL"]).await;
    let count = async || server.ask::<u64>(&["DBSIZE"]).await;
    let noticed = tokio::time::timeout(Duration::from_secs(30), async {
        // Hash, log, snapshot, tombstone and join code.
        while count().await < 5 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    noticed.await.expect("put back in time");
}
