//! Who is let in while others are here: `reliability.md` §4.2, flooding and
//! memory per connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::sleep;

use cardroom::connection::{AdmissionLimits, Options};
use cardroom::server::ListenerLimits;

use crate::seeing::house::House;
use crate::support::app::Scripted;
use crate::support::eio::{
    POLLING, Poller, WEBSOCKET, join_websocket, open_websocket, patient, say, see_text, settle_for,
    sid_of,
};
use crate::support::house::{self, House as Several};
use crate::support::http::{self, Answer, Request, UPGRADE, ask_from, connect_from, get_from};
use crate::support::raw_ws::TEXT;

const FULL: &str = "cardroom_handshakes_turned_away_total{reason=\"address full\"}";
const RATE: &str = "cardroom_handshakes_turned_away_total{reason=\"address rate\"}";

/// A refusal that says when to come back, and ends the connection.
fn is_busy(answer: &Answer) {
    answer.is(503, "");
    let seconds: u32 = answer.header("retry-after").parse().expect("whole seconds");
    assert!((1..=20).contains(&seconds), "{seconds}");
    assert_eq!(answer.header("connection"), "close");
    assert_eq!(answer.header("access-control-expose-headers"), "Retry-After");
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn upgrade_from(source: u8, server: SocketAddr) -> Answer {
    ask_from(source, server, "GET", WEBSOCKET, UPGRADE, b"").await
}

/// Opens over polling from this address; the `sid`.
async fn open_from(source: u8, server: SocketAddr) -> String {
    let answer = get_from(source, server, POLLING).await;
    assert_eq!(answer.status, 200, "{}", answer.body());
    sid_of(answer.body())
}

/// The same a moment after somebody has left.
async fn open_again_from(source: u8, server: SocketAddr) {
    for _ in 0..500 {
        if get_from(source, server, POLLING).await.status == 200 {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody is let in again");
}

async fn leave(server: SocketAddr, sid: &str) {
    let target = format!("{POLLING}&sid={sid}");
    http::ask(server, "POST", &target, &[], b"1").await.is(200, "ok");
}

#[tokio::test]
async fn one_more_of_an_address_is_refused_and_others_are_not() {
    let house = House::with(|config| config.limits.connections_per_address_max = 3);
    let server = house.address;
    let first = open_from(2, server).await;
    let second = open_from(2, server).await;
    open_from(2, server).await;
    for _ in 0..5 {
        is_busy(&get_from(2, server, POLLING).await);
        is_busy(&upgrade_from(2, server).await);
    }
    assert_eq!(upgrade_from(3, server).await.status, 101);
    open_from(3, server).await;

    // Who is here is not disturbed: polls, posts, and an upgrade.
    let target = format!("{POLLING}&sid={first}");
    ask_from(2, server, "POST", &target, &[], b"40").await.is(200, "ok");
    assert!(get_from(2, server, &target).await.body().starts_with("40{"));
    let target = format!("{WEBSOCKET}&sid={first}");
    assert_eq!(ask_from(2, server, "GET", &target, UPGRADE, b"").await.status, 101);

    leave(server, &second).await;
    assert_eq!(house.scrape().await.get(FULL), 10.0);
    open_again_from(2, server).await;
    is_busy(&get_from(2, server, POLLING).await);
}

#[tokio::test]
async fn a_page_may_read_when_to_come_back() {
    let house = House::with(|config| {
        config.limits.connections_per_address_max = 1;
        config.server.origins = vec!["https://cards.example".to_owned()];
    });
    open_from(2, house.address).await;
    let headers = [("Origin", "https://cards.example")];
    let refused = ask_from(2, house.address, "GET", POLLING, &headers, b"").await;
    is_busy(&refused);
    assert_eq!(refused.header("access-control-allow-origin"), "https://cards.example");
    assert_eq!(refused.header("access-control-allow-credentials"), "true");
    assert_eq!(refused.header("vary"), "Origin");
}

#[tokio::test]
async fn coming_again_and_again_resets_nothing() {
    let house = House::with(|config| config.limits.handshakes_per_address_per_second_max = 1);
    let server = house.address;
    let mut admitted = 0;
    for round in 0..40 {
        let answer = if round % 2 == 0 {
            get_from(2, server, POLLING).await
        } else {
            upgrade_from(2, server).await
        };
        match answer.status {
            200 => leave(server, &sid_of(answer.body())).await,
            101 => {}
            _ => is_busy(&answer),
        }
        admitted += u32::from(answer.status != 503);
    }
    // Ten at once, and what the seconds of this loop have brought.
    assert!((10..20).contains(&admitted), "{admitted}");
    assert_eq!(get_from(3, server, POLLING).await.status, 200);
    assert!(20.0 < house.scrape().await.get(RATE));
    sleep(Duration::from_millis(1_100)).await;
    open_from(2, server).await;
}

#[tokio::test]
async fn all_together_have_a_rate_too() {
    let house = House::with(|config| config.limits.handshakes_per_second_max = 1);
    let mut refused = 0;
    for source in 2..40 {
        let answer = get_from(source, house.address, POLLING).await;
        if answer.status == 503 {
            is_busy(&answer);
            refused += 1;
        }
    }
    assert!((18..=28).contains(&refused), "{refused}");
    let series = "cardroom_handshakes_turned_away_total{reason=\"rate\"}";
    assert_eq!(house.scrape().await.get(series), f64::from(refused));
}

#[tokio::test]
async fn while_memory_is_short_those_who_are_here_stay() {
    let app = Scripted::serve(patient());
    let mut socket = join_websocket(app.server).await;
    let poller = Poller::join(app.server).await;
    app.connections.set_memory_short(true);
    is_busy(&http::get(app.server, POLLING).await);
    is_busy(&http::ask(app.server, "GET", WEBSOCKET, UPGRADE, b"").await);
    say(&mut socket, r#"421["untouched"]"#).await;
    socket.expect(TEXT, r#"431["untouched"]"#).await;
    poller.post("421[\"untouched\"]").await.is(200, "ok");
    assert_eq!(poller.get().await.body(), "431[\"untouched\"]");
    app.connections.set_memory_short(false);
    Poller::join(app.server).await;
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "only Linux says what is used")]
async fn the_mark_is_looked_at() {
    let house = House::with(|config| config.server.memory_bytes_max = 1);
    let series = "cardroom_handshakes_turned_away_total{reason=\"memory\"}";
    let mut answer = http::get(house.address, POLLING).await;
    for _ in 0..100 {
        if answer.status == 503 {
            break;
        }
        sleep(Duration::from_millis(20)).await;
        answer = http::get(house.address, POLLING).await;
    }
    is_busy(&answer);
    assert_eq!(house.scrape().await.get(series), 1.0);
    assert_eq!(http::get(house.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn tcp_connections_beyond_the_share_serve_what_is_open_and_no_more() {
    let house = House::with(|config| config.limits.tcp_connections_per_address_max = 2);
    let server = house.address;
    let first = connect_from(2, server).await;
    let mut opening = Request::over(first, "GET", POLLING, &[], b"", 0).await;
    let sid = sid_of(opening.answer().await.expect("an answer").body());
    let _first = opening.into_stream();
    let _second = connect_from(2, server).await;
    settle_for(100).await;

    is_busy(&get_from(2, server, POLLING).await);
    is_busy(&upgrade_from(2, server).await);
    let refused = get_from(2, server, "/").await;
    is_busy(&refused);
    let target = format!("{POLLING}&sid={sid}");
    ask_from(2, server, "POST", &target, &[], b"40").await.is(200, "ok");
    assert!(get_from(2, server, &target).await.body().starts_with("40{"));
    assert_eq!(get_from(2, server, "/healthz").await.status, 200);
    assert_eq!(get_from(2, server, "/readyz").await.status, 200);
    open_from(3, server).await;

    // Beyond twice the share, nothing.
    let held = [connect_from(2, server).await, connect_from(2, server).await];
    settle_for(100).await;
    let refused = get_from(2, server, &target).await;
    refused.is(503, "");
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    let seconds: u32 = refused.header("retry-after").parse().expect("whole seconds");
    assert!((5..=10).contains(&seconds), "{seconds}");
    open_from(3, server).await;
    drop(held);
    settle_for(100).await;
    assert_eq!(get_from(2, server, "/healthz").await.status, 200);

    let numbers = house.scrape().await;
    let turned_away = |reason: &str| {
        numbers.get(&format!("cardroom_tcp_connections_turned_away_total{{reason=\"{reason}\"}}"))
    };
    assert_eq!((turned_away("address full"), turned_away("full")), (1.0, 0.0));
    assert_eq!(numbers.get(FULL), 2.0);
}

#[tokio::test]
async fn a_listener_that_is_full_is_counted() {
    let house = House::with(|config| config.server.tcp_connections_max = 2);
    let held = [connect_from(2, house.address).await, connect_from(3, house.address).await];
    let series = "cardroom_tcp_connections";
    house.scrape_until(|numbers| numbers.get(series) == 2.0).await;
    get_from(4, house.address, "/healthz").await.is(503, "");
    let refused = "cardroom_tcp_connections_turned_away_total{reason=\"full\"}";
    assert_eq!(house.scrape().await.get(refused), 1.0);
    drop(held);
    house.scrape_until(|numbers| numbers.get(series) == 0.0).await;
    assert_eq!(get_from(4, house.address, "/healthz").await.status, 200);
}

/// Proxies stand for many: only what they say of their clients counts.
#[tokio::test]
async fn a_proxy_is_no_crowd() {
    let house = House::with(|config| {
        config.server.trusted_proxies = vec!["127.0.0.1".to_owned()];
        config.limits.tcp_connections_per_address_max = 1;
        config.limits.connections_per_address_max = 2;
        config.limits.handshakes_per_address_per_second_max = 1;
    });
    let mut held = Vec::new();
    for n in 0..30 {
        let client = format!("198.51.100.{}", n / 2);
        let headers = [("X-Forwarded-For", client.as_str())];
        let stream = connect_from(1, house.address).await;
        let mut request = Request::over(stream, "GET", POLLING, &headers, b"", 0).await;
        assert_eq!(request.answer().await.expect("an answer").status, 200, "{client}");
        held.push(request.into_stream());
    }
    let headers = [("X-Forwarded-For", "198.51.100.7")];
    is_busy(&ask_from(1, house.address, "GET", POLLING, &headers, b"").await);
}

/// Three instances that let in one connection of each address, and one TCP
/// connection.
fn narrow() -> Several {
    let admission = AdmissionLimits { per_address_max: 1, ..AdmissionLimits::default() };
    let options = Options { admission, ..patient() };
    let limits = ListenerLimits { connections_per_address_max: 2, ..ListenerLimits::default() };
    Several::open_behind(&options, &house::limits(), &limits)
}

#[tokio::test]
async fn what_is_relayed_always_passes() {
    let several = narrow();
    let [first, second, _] = [0, 1, 2].map(|number| several.instances[number].server);
    // Clients of many addresses at the first, all asking the second: to the
    // first, all of them come from one machine.
    let mut sockets = Vec::new();
    for source in 10..30 {
        let sid = open_from(source, first).await;
        let target = format!("{POLLING}&sid={sid}");
        ask_from(source, second, "POST", &target, &[], b"4relayed").await.is(200, "ok");
        get_from(source, second, &target).await.is(200, "4relayed");
        let stream = connect_from(source, second).await;
        let target = format!("{WEBSOCKET}&sid={sid}");
        let mut upgrade = Request::over(stream, "GET", &target, UPGRADE, b"", 0).await;
        assert_eq!(upgrade.answer().await.expect("an answer").status, 101, "{source}");
        sockets.push(upgrade.into_stream());
        is_busy(&get_from(source, first, POLLING).await);
    }
    assert_eq!(sockets.len(), 20);
}

#[tokio::test]
async fn a_relayed_connection_is_its_clients_and_not_the_relays() {
    let several = narrow();
    let [first, second, _] = [0, 1, 2].map(|number| several.instances[number].server);
    let sid = open_from(10, first).await;
    let target = format!("{POLLING}&sid={sid}");
    // Over the second, and the address of the client is full all the same.
    ask_from(10, second, "POST", &target, &[], b"4x").await.is(200, "ok");
    is_busy(&get_from(10, first, POLLING).await);
    open_from(1, first).await;
}

/// The instances are named among the proxies, and say that they speak for
/// themselves.
#[tokio::test]
async fn instances_reach_each_other_where_the_proxy_protocol_is_spoken() {
    const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let proxies =
        cardroom::server::TrustedProxies::new(["127.0.0.1/32".parse().expect("a network")]);
    let listener = ListenerLimits {
        trusted_proxies: proxies,
        takes_proxy_protocol: true,
        ..ListenerLimits::default()
    };
    let relay = cardroom::transport::relay::RelayLimits { preamble: LOCAL, ..house::limits() };
    let several = Several::open_behind(&patient(), &relay, &listener);
    let [first, second, _] = [0, 1, 2].map(|number| several.instances[number].server);
    let ask = async |server, method: &str, target: &str, body: &[u8]| {
        use tokio::io::AsyncWriteExt;
        let mut stream = connect_from(1, server).await;
        stream.write_all(LOCAL).await.expect("server reads");
        let mut request = Request::over(stream, method, target, &[], body, body.len()).await;
        request.answer().await.expect("an answer")
    };
    let sid = sid_of(ask(first, "GET", POLLING, b"").await.body());
    let target = format!("{POLLING}&sid={sid}");
    ask(second, "POST", &target, b"4relayed").await.is(200, "ok");
    ask(second, "GET", &target, b"").await.is(200, "4relayed");
}

#[tokio::test]
async fn a_websocket_gives_its_place_back_when_it_ends() {
    let house = House::with(|config| config.limits.connections_per_address_max = 1);
    let mut socket = open_websocket(house.address).await;
    is_busy(&http::get(house.address, POLLING).await);
    say(&mut socket, "40").await;
    assert!(see_text(&mut socket).await.starts_with("40{"));
    drop(socket);
    open_again_from(1, house.address).await;
}
