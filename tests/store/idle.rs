//! What sessions cost Redis in which nothing happens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use cardroom::connection::{Connections, Upper};
use cardroom::hub::Hub;
use cardroom::identity::Keyring;
use cardroom::limits::Limit;
use cardroom::table::{Table, TableOptions};

use crate::store::redis_server::RedisServer;
use crate::support::eio::{join_websocket, patient, say, see_text, serve};

const SESSIONS: u64 = 1_000;
const RENEW: Duration = Duration::from_millis(2_000);
/// Of the store in Redis.
const HEAD_CHECK: Duration = Duration::from_millis(1_500);
const WATCHED: Duration = Duration::from_millis(8_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the figures are what people look for")]
async fn idle_sessions_cost_their_leases_and_head_checks() {
    let server = RedisServer::start();
    let store = Arc::new(server.store().await);
    let options = TableOptions {
        creates: Limit::per_minute(100_000),
        creates_per_hour: Limit::per_minute(100_000),
        lease: 3 * RENEW,
        renew: RENEW,
        ..TableOptions::default()
    };
    let keyring = Keyring::ephemeral([7; 32]);
    let table = Table::new(Arc::clone(&store) as _, store, Hub::new(), keyring, options);
    let address = serve(Connections::new(patient(), Upper::SocketIo(Arc::new(table))));
    let mut sockets = Vec::new();
    for _ in 0..SESSIONS {
        let mut socket = join_websocket(address).await;
        say(&mut socket, r#"420["session:create",{"name":"Sprint","playerName":"Ann"}]"#).await;
        while !see_text(&mut socket).await.starts_with("430") {}
        sockets.push(socket);
    }
    // What a new session entails has settled.
    tokio::time::sleep(RENEW).await;

    let () = server.ask(&["CONFIG", "RESETSTAT"]).await;
    let started = Instant::now();
    tokio::time::sleep(WATCHED).await;
    let stats: String = server.ask(&["INFO", "commandstats"]).await;
    let watched = started.elapsed();
    let spent = parse(&stats);
    let calls = |command: &str| spent.get(command).map_or(0, |(calls, _)| *calls);
    let microseconds: u64 = spent.values().map(|(_, microseconds)| microseconds).sum();
    let ms = watched.as_millis() as u64;
    for (command, (calls, microseconds)) in &spent {
        println!("{command:>20} {:8.1}/s {microseconds:>8} us", *calls as f64 * 1e3 / ms as f64);
    }
    println!("{SESSIONS} idle sessions: {:.2} % of Redis", microseconds as f64 / ms as f64 / 10.0);

    // One more of each than fits, and a tenth of jitter.
    let renewals = ms * 10 / 9 / RENEW.as_millis() as u64 + 1;
    let head_checks = ms / HEAD_CHECK.as_millis() as u64 + 1;
    let few = 50;
    let at_most = [
        // A socket's lease: one script of its session, and its record. The
        // records by which they come back go fifty to a script, in ten parts.
        ("evalsha", renewals * (SESSIONS + SESSIONS / 50 + 10 + 1)),
        ("set", renewals * SESSIONS),
        ("hmget", (head_checks + renewals) * SESSIONS),
        // By the script: both sets are written, cleared of the dead and kept.
        ("zadd", 2 * renewals * SESSIONS),
        ("zremrangebyscore", 2 * renewals * SESSIONS),
        ("pexpire", renewals * (3 * SESSIONS + 1)),
        ("time", renewals * SESSIONS + head_checks * 5),
        ("exists", few),
        // With each sign of life: whether somebody asked us to drain.
        ("hexists", few),
        // They are as they were: nothing but their expiry is written.
        ("hset", few),
        ("ping", few),
        ("info", few),
        ("config|resetstat", few),
    ];
    for command in spent.keys() {
        assert!(at_most.iter().any(|(known, _)| known == command), "{command}: what for?");
    }
    for (command, most) in at_most {
        assert!(calls(command) <= most, "{command}: {} of {most}", calls(command));
    }
    assert!(SESSIONS <= calls("set"), "they are renewed");
}

/// Calls and microseconds of each command.
fn parse(stats: &str) -> BTreeMap<String, (u64, u64)> {
    let lines = stats.lines().filter_map(|line| line.strip_prefix("cmdstat_")?.split_once(':'));
    let number = |fields: &str, name: &str| {
        let field = fields.split(',').find_map(|field| field.strip_prefix(name));
        field.and_then(|digits| digits.parse().ok()).expect("a number")
    };
    lines
        .filter(|(command, _)| !matches!(*command, "client|setinfo" | "hello"))
        .map(|(command, fields)| {
            (command.to_owned(), (number(fields, "calls="), number(fields, "usec=")))
        })
        .collect()
}
