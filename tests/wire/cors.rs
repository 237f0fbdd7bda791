//! `protocol.md` §6: CORS, as the npm package tells it, and the allow-list behind it.

use cardroom::connection::{Options, Origins};

use crate::support::eio::{POLLING, Poller, WEBSOCKET, patient, serve_engineio, sid_of};
use crate::support::http::{self, Answer, UPGRADE};

const HERE: (&str, &str) = ("Origin", "https://cards.example");
const ELSEWHERE: (&str, &str) = ("Origin", "https://elsewhere.example");

fn listed() -> Options {
    Options { origins: Origins::Listed(vec![HERE.1.to_owned()]), ..patient() }
}

fn assert_allowed(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), HERE.1);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert!(answer.header("vary").contains("Origin"));
}

#[tokio::test]
async fn a_preflight_is_answered_without_a_body() {
    let server = serve_engineio(listed());
    let wanted = ("Access-Control-Request-Headers", "x-token,content-type");
    let answer = http::ask(server, "OPTIONS", POLLING, &[HERE, wanted], b"").await;
    answer.is(204, "");
    assert_allowed(&answer);
    assert_eq!(answer.header("access-control-allow-methods"), "GET,HEAD,PUT,PATCH,POST,DELETE");
    assert_eq!(answer.header("access-control-allow-headers"), wanted.1);
    assert!(answer.header("vary").contains("Access-Control-Request-Headers"));

    let answer = http::ask(server, "OPTIONS", POLLING, &[ELSEWHERE], b"").await;
    answer.is(204, "");
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert!(answer.header("vary").contains("Origin"));
}

#[tokio::test]
async fn every_answer_has_the_headers_whatever_its_status() {
    let server = serve_engineio(Options { max_payload_bytes: 100, ..listed() });
    let opened = http::ask(server, "GET", POLLING, &[HERE], b"").await;
    assert_eq!(opened.status, 200);
    assert_allowed(&opened);
    let poller = Poller { server, sid: sid_of(opened.body()) };
    let target = poller.target();
    let unknown = format!("{POLLING}&sid=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let long = [b'4'; 101];
    let cases: [(&str, &str, &[u8], u16); 6] = [
        ("POST", &target, b"4hello", 200),
        ("GET", &target, b"", 200),
        ("POST", &target, &long, 413),
        ("PUT", &target, b"", 500),
        ("GET", &unknown, b"", 400),
        ("GET", "/socket.io/", b"", 400),
    ];
    for (method, target, body, status) in cases {
        let answer = http::ask(server, method, target, &[HERE], body).await;
        assert_eq!(answer.status, status, "{method} {target}");
        assert_allowed(&answer);
    }
}

#[tokio::test]
async fn a_foreign_page_is_refused_over_polling_and_websocket_alike() {
    let server = serve_engineio(listed());
    let answer = http::ask(server, "GET", POLLING, &[ELSEWHERE], b"").await;
    answer.is(403, r#"{"code":4,"message":"Forbidden"}"#);
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let foreign = [UPGRADE, &[ELSEWHERE]].concat();
    http::ask(server, "GET", WEBSOCKET, &foreign, b"").await.is(403, "Forbidden");
    let poller = Poller::open(server).await;
    let target = poller.upgrade_target();
    http::ask(server, "GET", &target, &foreign, b"").await.is(403, "Forbidden");

    let ours = [UPGRADE, &[HERE]].concat();
    let answer = http::ask(server, "GET", WEBSOCKET, &ours, b"").await;
    assert_eq!(answer.status, 101);
}

#[tokio::test]
async fn when_any_origin_may_come_the_answer_is_a_star_without_credentials() {
    let server = serve_engineio(patient());
    for origin in [&[HERE][..], &[ELSEWHERE], &[]] {
        let answer = http::ask(server, "GET", POLLING, origin, b"").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        assert_eq!(answer.header("vary"), "");
    }
}
