//! `protocol.md` §1, §3 and §4 where each request of a connection meets another
//! instance.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use cardroom::connection::{Options, Origins};
use cardroom::protocol::sid::{Issuer, Owner};
use cardroom::transport::relay::RelayLimits;

use crate::support::eio::{POLLING, Poller, error, patient, say, settle_for, sid_of};
use crate::support::house::{House, SECRET, limits};
use crate::support::http::{self, Answer, UPGRADE};
use crate::support::raw_ws::{RawWs, Seen, TEXT};

/// One connection, as each of the three instances would be asked about it. The
/// first one has it.
async fn open(house: &House) -> [Poller; 3] {
    let opened = Poller::open(house.instances[0].server).await;
    [0, 1, 2]
        .map(|number| Poller { server: house.instances[number].server, sid: opened.sid.clone() })
}

fn unknown() -> String {
    error(1, "Session ID unknown")
}

/// Longer than [`settle`](crate::support::eio::settle): there is one hop more.
async fn settle() {
    settle_for(100).await;
}

#[tokio::test]
async fn any_instance_takes_and_brings() {
    let house = House::open(&patient());
    let [_, second, third] = open(&house).await;
    let started = Instant::now();
    for round in 0..20 {
        let packet = format!("4round {round} žluťoučký");
        let mut parked = second.park().await;
        third.post(&packet).await.is(200, "ok");
        let answer = parked.answer().await.expect("an answer");
        answer.is(200, &packet);
        assert_eq!(answer.header("content-type"), "text/plain; charset=UTF-8");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // An address is remembered for two seconds, by each of two.
    let asked_at_most = 6 + started.elapsed().as_secs() as u32;
    assert!(house.addresses.questions() <= asked_at_most, "{}", house.addresses.questions());
}

#[tokio::test]
async fn an_answer_is_compressed_once() {
    let house = House::open(&patient());
    let [first, second, third] = open(&house).await;
    let long = "x".repeat(5_000);
    third.post(format!("4{long}")).await.is(200, "ok");
    let accept = [("Accept-Encoding", "gzip")];
    let answer = http::ask(second.server, "GET", &second.target(), &accept, b"").await;
    assert_eq!((answer.status, answer.header("content-encoding").as_str()), (200, "gzip"));
    assert!(answer.bytes.len() < 500);
    first.post("4x").await.is(200, "ok");
}

#[tokio::test]
async fn a_second_get_elsewhere_ends_both_and_the_connection() {
    let house = House::open(&patient());
    for (one, other) in [(0, 1), (1, 0), (1, 2), (2, 2)] {
        let at = open(&house).await;
        let mut parked = at[one].park().await;
        settle().await;
        at[other].get().await.is(400, "");
        parked.answer().await.expect("an answer").is(200, "1");
        for poller in at {
            poller.expect_gone().await;
        }
    }
}

#[tokio::test]
async fn a_second_post_elsewhere_ends_both_and_the_connection() {
    let house = House::open(&patient());
    for (one, other) in [(0, 1), (1, 0), (1, 2), (2, 2)] {
        let at = open(&house).await;
        let mut slow = at[one].post_slowly(10).await;
        settle().await;
        at[other].post("4second").await.is(400, "");
        assert!(slow.answer().await.is_none(), "the first is broken off");
        at[other].expect_gone().await;
    }
}

#[tokio::test]
async fn what_the_client_aborts_is_aborted_at_the_owner() {
    let house = House::open(&patient());
    let [first, second, third] = open(&house).await;
    drop(second.park().await);
    settle().await;
    third.expect_gone().await;
    first.expect_gone().await;

    let [first, second, _] = open(&house).await;
    // A connection between the two that was used before, and one that was not.
    second.post("4hello").await.is(200, "ok");
    drop(second.post_slowly(10).await);
    settle().await;
    first.expect_gone().await;
}

#[tokio::test]
async fn a_close_and_what_ends_a_connection_reach_it_from_anywhere() {
    let house = House::open(&patient());
    let [_, second, third] = open(&house).await;
    let mut parked = third.park().await;
    settle().await;
    second.post("1").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "6");
    third.expect_gone().await;

    let [_, second, third] = open(&house).await;
    second.post_as("application/octet-stream", "4x").await.is(400, "");
    third.expect_gone().await;
}

#[tokio::test]
async fn a_body_is_limited_as_on_a_direct_request() {
    let house = House::open(&Options { max_payload_bytes: 100, ..patient() });
    let [_, second, third] = open(&house).await;
    let exact = format!("4{}", "x".repeat(99));
    second.post(&exact).await.is(200, "ok");
    third.get().await.is(200, &exact);
    second.post(format!("{exact}x")).await.is(413, "");
    third.post("4still here").await.is(200, "ok");
    second.get().await.is(200, "4still here");
    let put = http::ask(second.server, "PUT", &second.target(), &[], b"").await;
    put.is(500, "");
}

#[tokio::test]
async fn an_upgrade_may_land_anywhere() {
    let house = House::open(&patient());
    for (socket_at, poll_at) in [(1, 2), (2, 1), (1, 0), (0, 1), (1, 1)] {
        let at = open(&house).await;
        let mut parked = at[poll_at].park().await;
        settle().await;
        let mut socket =
            RawWs::connect(at[socket_at].server, &at[socket_at].upgrade_target()).await;
        say(&mut socket, "2probe").await;
        socket.expect(TEXT, "3probe").await;
        parked.answer().await.expect("an answer").is(200, "6");
        at[2].post("4by websocket").await.is(200, "ok");
        say(&mut socket, "5").await;
        socket.expect(TEXT, "4by websocket").await;
        let long = format!("4{}", "x".repeat(200_000));
        say(&mut socket, &long).await;
        socket.expect(TEXT, &long).await;
        at[poll_at].get().await.is(400, &error(3, "Bad request"));
        drop(socket);
        settle().await;
        at[poll_at].expect_gone().await;
    }
}

#[tokio::test]
async fn what_was_sent_ahead_of_the_101_arrives() {
    let house = House::open(&patient());
    let [_, second, _] = open(&house).await;
    let ahead = crate::support::raw_ws::frame(0x81, "2probe");
    let mut socket = RawWs::connect_ahead(second.server, &second.upgrade_target(), &ahead).await;
    socket.expect(TEXT, "3probe").await;
}

#[tokio::test]
async fn a_websocket_that_the_owner_closes_is_closed() {
    let house = House::open(&patient());
    let [_, second, third] = open(&house).await;
    let mut socket = RawWs::connect(second.server, &second.upgrade_target()).await;
    say(&mut socket, "nonsense").await;
    crate::support::eio::expect_close_without_code(&mut socket).await;
    third.post("4polling lives").await.is(200, "ok");
}

#[tokio::test]
async fn a_bad_upgrade_is_answered_with_http() {
    let house = House::open(&patient());
    let [_, second, _] = open(&house).await;
    let no_key = &UPGRADE[..3];
    let target = second.upgrade_target();
    let answer = http::ask(second.server, "GET", &target, no_key, b"").await;
    answer.is(400, "invalid Sec-WebSocket-Key");
    assert_eq!(answer.header("connection"), "close");
    // Polling, and yet a WebSocket: the owner says so.
    let answer = http::ask(second.server, "GET", &second.target(), UPGRADE, b"").await;
    answer.is(400, "Bad request");
    assert_eq!(answer.header("connection"), "close");
    let plain = http::get(second.server, &target).await;
    plain.is(400, &error(3, "Bad request"));
}

#[tokio::test]
async fn cors_is_told_once() {
    const HERE: (&str, &str) = ("Origin", "https://cards.example");
    const ELSEWHERE: (&str, &str) = ("Origin", "https://elsewhere.example");
    let origins = Origins::Listed(vec![HERE.1.to_owned()]);
    let house = House::open(&Options { origins, ..patient() });
    let [first, second, _] = open(&house).await;
    let told = |answer: &Answer| {
        ["access-control-allow-origin", "access-control-allow-credentials", "vary"]
            .map(|name| answer.header(name))
    };
    let mut answers = Vec::new();
    for poller in [&first, &second] {
        for headers in [&[HERE][..], &[ELSEWHERE], &[]] {
            let target = poller.target();
            let answer = http::ask(poller.server, "POST", &target, headers, b"4x").await;
            assert_eq!(answer.status, if headers == [ELSEWHERE] { 403 } else { 200 });
            answers.push(told(&answer));
        }
    }
    assert_eq!(answers[..3], answers[3..]);
    assert_eq!(answers[0], [HERE.1, "true", "Origin"]);
    // An Origin that is not allowed is judged by the owner,
    let foreign = [UPGRADE, &[ELSEWHERE]].concat();
    let target = second.upgrade_target();
    http::ask(second.server, "GET", &target, &foreign, b"").await.is(403, "Forbidden");
    // and the owner sees the Host that the client named.
    let own = [UPGRADE, &[("Origin", "http://localhost")]].concat();
    assert_eq!(http::ask(second.server, "GET", &target, &own, b"").await.status, 101);
}

#[tokio::test]
async fn an_invented_sid_is_unknown_and_nobody_is_asked() {
    let house = House::open(&patient());
    let server = house.instances[0].server;
    let stranger = Issuer::new(Owner(2), b"another secret");
    for number in 0..50 {
        let sid = stranger.issue([number; 16]).expose().to_owned();
        let poller = Poller { server, sid };
        poller.get().await.is(400, &unknown());
        poller.post("4x").await.is(400, &unknown());
    }
    assert_eq!(house.addresses.questions(), 0);
}

#[tokio::test]
async fn the_sids_of_the_dead_are_looked_up_once_in_a_while() {
    let house = House::open(&patient());
    let dead = Issuer::new(Owner(9), SECRET);
    let started = Instant::now();
    for number in 0..100 {
        let sid = dead.issue([number; 16]).expose().to_owned();
        let poller = Poller { server: house.instances[0].server, sid };
        poller.get().await.is(400, &unknown());
    }
    // That there is none is remembered for one second.
    let asked_at_most = 5 + started.elapsed().as_secs() as u32;
    assert!(house.addresses.questions() <= asked_at_most, "{}", house.addresses.questions());
}

#[tokio::test]
async fn what_is_sealed_wrongly_is_refused_and_goes_no_further() {
    let house = House::open(&patient());
    let [first, second, third] = open(&house).await;
    let questions = house.addresses.questions();
    let mut parked = first.park().await;
    for seal in ["", "x", "127.0.0.1:1 AAAA", "127.0.0.1:1 what the instances of a test share"] {
        for poller in [&first, &second] {
            let target = poller.target();
            let seal = [("Cardroom-Relay", seal)];
            let answer = http::ask(poller.server, "POST", &target, &seal, b"4x").await;
            answer.is(403, "");
        }
    }
    assert_eq!(house.addresses.questions(), questions);
    third.post("4undisturbed").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "4undisturbed");
}

/// The address of one that is gone may be another's by now.
#[tokio::test]
async fn one_hop_only() {
    let house = House::open(&patient());
    house.addresses.put(Owner(9), house.instances[1].server);
    let sid = Issuer::new(Owner(9), SECRET).issue([1; 16]).expose().to_owned();
    let poller = Poller { server: house.instances[0].server, sid };
    poller.get().await.is(400, &unknown());
    poller.post("4x").await.is(400, &unknown());
    let target = poller.upgrade_target();
    let upgrade = http::ask(poller.server, "GET", &target, UPGRADE, b"").await;
    upgrade.is(400, "Session ID unknown");
}

#[tokio::test]
async fn a_connection_that_its_owner_has_no_more_is_unknown() {
    let house = House::open(&patient());
    let [first, second, _] = open(&house).await;
    first.post("1").await.is(200, "ok");
    second.post("4x").await.is(400, &unknown());
    let target = second.upgrade_target();
    let upgrade = http::ask(second.server, "GET", &target, UPGRADE, b"").await;
    upgrade.is(400, "Session ID unknown");
}

#[tokio::test]
async fn an_owner_that_is_dead_makes_the_sid_unknown_at_once() {
    let house = House::open(&patient());
    // Nobody listens there, on any machine.
    house.addresses.put(Owner(9), (Ipv4Addr::LOCALHOST, 1).into());
    let sid = Issuer::new(Owner(9), SECRET).issue([1; 16]).expose().to_owned();
    let poller = Poller { server: house.instances[0].server, sid };
    let started = Instant::now();
    poller.get().await.is(400, &unknown());
    poller.post("4x").await.is(400, &unknown());
    assert!(started.elapsed() < limits().connect_timeout);
}

/// An owner of which the test says when it dies.
async fn mortal(house: &House, owner: Owner) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    house.addresses.put(owner, listener.local_addr().expect("bound"));
    (listener, house.instances[0].server)
}

#[tokio::test]
async fn an_owner_that_dies_with_a_poll_parked_makes_the_sid_unknown_at_once() {
    let house = House::open(&patient());
    let (listener, server) = mortal(&house, Owner(9)).await;
    let sid = Issuer::new(Owner(9), SECRET).issue([1; 16]).expose().to_owned();
    let poller = Poller { server, sid };
    let mut parked = poller.park().await;
    let (mut stream, _) = listener.accept().await.expect("the poll is relayed");
    let mut head = [0; 2_048];
    let read = stream.read(&mut head).await.expect("a head");
    let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
    assert!(head.contains("\r\ncardroom-relay: 127.0.0.1:"), "{head}");
    assert!(head.contains("\r\nhost: localhost\r\n"), "{head}");
    drop((stream, listener));
    let answer = timeout(limits().idle_timeout, parked.answer()).await.expect("at once");
    answer.expect("an answer").is(400, &unknown());
}

#[tokio::test]
async fn an_owner_that_never_answers_is_given_up() {
    let limits = RelayLimits { answer_timeout: Duration::from_millis(200), ..limits() };
    let house = House::open_with(&patient(), &limits);
    let (listener, server) = mortal(&house, Owner(9)).await;
    let sid = Issuer::new(Owner(9), SECRET).issue([1; 16]).expose().to_owned();
    let poller = Poller { server, sid };
    poller.get().await.is(400, &unknown());
    drop(listener);
}

#[tokio::test]
async fn more_than_the_limit_at_one_time_are_told_503() {
    let limits = RelayLimits { requests_max: 1, tunnels_max: 1, ..limits() };
    let house = House::open_with(&patient(), &limits);
    let [_, second, third] = open(&house).await;
    let mut parked = second.park().await;
    settle().await;
    second.post("4x").await.is(503, "");
    let mut socket = RawWs::connect(second.server, &second.upgrade_target()).await;
    let target = second.upgrade_target();
    let upgrade = http::ask(second.server, "GET", &target, UPGRADE, b"").await;
    assert_eq!(upgrade.status, 503);
    third.post("4x").await.is(200, "ok");
    parked.answer().await.expect("an answer").is(200, "4x");
    // Places are given back.
    second.post("4y").await.is(200, "ok");
    say(&mut socket, "nonsense").await;
    crate::support::eio::expect_close_without_code(&mut socket).await;
    drop(socket);
    settle().await;
    RawWs::connect(second.server, &second.upgrade_target()).await;
}

#[tokio::test]
async fn an_instance_on_its_way_out_relays_no_more() {
    let house = House::open(&patient());
    let [first, second, third] = open(&house).await;
    let mut socket = RawWs::connect(second.server, &second.upgrade_target()).await;
    say(&mut socket, "2probe").await;
    socket.expect(TEXT, "3probe").await;
    let parked_for = open(&house).await;
    let mut parked = parked_for[1].park().await;
    settle().await;
    house.instances[1].relay.close();
    assert_eq!(socket.see().await, Seen::Eof);
    parked.answer().await.expect("an answer").is(400, &unknown());
    second.post("4x").await.is(400, &unknown());
    third.post("4x").await.is(200, "ok");
    first.get().await.is(200, "4x");
}

#[tokio::test]
async fn while_an_instance_leaves_polls_go_on_and_websockets_end() {
    let house = House::open(&patient());
    let [_, second, third] = open(&house).await;
    let upgraded = open(&house).await;
    let mut socket = RawWs::connect(upgraded[1].server, &upgraded[1].upgrade_target()).await;
    say(&mut socket, "2probe").await;
    socket.expect(TEXT, "3probe").await;
    let mut parked = second.park().await;
    settle().await;
    let relay = &house.instances[1].relay;
    assert_eq!(relay.in_flight(), 2);
    relay.leave_within(Duration::from_millis(500));
    // The poll is over soon, and nothing of the connection is.
    parked.answer().await.expect("an answer").is(200, "6");
    assert_eq!(socket.see().await, Seen::Eof);
    second.post("4still here").await.is(200, "ok");
    third.get().await.is(200, "4still here");
    second.post("4and here").await.is(200, "ok");
    second.get().await.is(200, "4and here");
    // A WebSocket would be cut off again: the client is better off as it is.
    let target = second.upgrade_target();
    let upgrade = http::ask(second.server, "GET", &target, UPGRADE, b"").await;
    assert_eq!(upgrade.status, 503);
    settle().await;
    assert_eq!(relay.in_flight(), 0);
}

#[tokio::test]
async fn opening_is_never_relayed() {
    let house = House::open(&patient());
    for instance in &house.instances {
        let answer = http::get(instance.server, POLLING).await;
        let sid = sid_of(answer.body());
        assert_eq!(sid.len(), 40);
    }
    assert_eq!(house.addresses.questions(), 0);
}
