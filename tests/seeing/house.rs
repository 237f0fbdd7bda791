//! A server that is watched, its guests made of packets, and its page read
//! back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Parser as _;
use serde_json::{Value, json};

use cardroom::clock::Clock;
use cardroom::config::{Arguments, Config};
use cardroom::server::{Instance, Stores};
use cardroom::shutdown::{Shutdown, Trigger};
use cardroom::store::MemoryStore;

use crate::support::eio::{join_websocket, say, see_text};
use crate::support::http::{Answer, ask, get};
use crate::support::raw_ws::RawWs;

pub(crate) const SCRAPER: &str = "token-of-the-scraper";
pub(crate) const ADMINISTRATOR: &str = "token-of-the-administrator";

pub(crate) struct House {
    pub(crate) address: SocketAddr,
    /// Of the numbers, where nothing else is.
    pub(crate) metrics: Option<SocketAddr>,
    shutdown: Trigger,
}

impl House {
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Self::config();
        change(&mut config);
        let store = MemoryStore::new(Clock::system(), config.limits.sessions_max);
        Self::on(&config, Stores::of(store))
    }

    pub(crate) fn config() -> Config {
        let mut config = Config::default();
        config.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        config.metrics.listen = "127.0.0.1:0".to_owned();
        config
    }

    /// With settings as on the command line.
    pub(crate) fn set(settings: &[&str]) -> Self {
        let mut words = vec!["cardroom"];
        settings.iter().for_each(|setting| words.extend(["--set", setting]));
        let arguments = Arguments::parse_from(words);
        let mut config = Config::load(&arguments, []).expect("good settings");
        let own = Self::config();
        config.server.listen = own.server.listen;
        config.metrics.listen = own.metrics.listen;
        let store = MemoryStore::new(Clock::system(), config.limits.sessions_max);
        Self::on(&config, Stores::of(store))
    }

    pub(crate) fn on(config: &Config, stores: Stores) -> Self {
        let instance = Instance::start(config, stores).expect("free ports");
        let address = instance.address().expect("it listens");
        let metrics = instance.metrics_address();
        let (shutdown, told) = Shutdown::channel();
        tokio::spawn(instance.run(told));
        Self { address, metrics, shutdown }
    }

    /// As on SIGTERM.
    pub(crate) fn close(&self) {
        self.shutdown.fire();
    }

    pub(crate) async fn scrape(&self) -> Samples {
        let answer = get(self.metrics.expect("a port of its own"), "/metrics").await;
        assert_eq!(answer.status, 200, "{}", answer.body());
        Samples::read(answer.body())
    }

    /// Scrapes until the numbers are such; what a client has been told may be
    /// counted a moment later.
    pub(crate) async fn scrape_until(&self, is_such: impl Fn(&Samples) -> bool) -> Samples {
        for _ in 0..500 {
            let samples = self.scrape().await;
            if is_such(&samples) {
                return samples;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the numbers never came: {:#?}", self.scrape().await);
    }

    pub(crate) async fn guest(&self) -> Guest {
        Guest::new(join_websocket(self.address).await)
    }
}

/// The body of an answer of this status.
pub(crate) fn value(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body());
    serde_json::from_str(answer.body()).expect("JSON")
}

/// A problem of this status and code.
pub(crate) fn problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(value(answer, status)["code"], code, "{}", answer.body());
}

/// With a token in the header.
pub(crate) async fn get_as(server: SocketAddr, path: &str, token: &str) -> Answer {
    ask(server, "GET", path, &[("Authorization", &format!("Bearer {token}"))], b"").await
}

/// One page, by series: name and labels as they stand there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Samples(pub(crate) BTreeMap<String, f64>);

impl Samples {
    /// Every line is a comment, or a sample whose family was declared.
    pub(crate) fn read(page: &str) -> Self {
        let mut samples = BTreeMap::new();
        let mut declared = Vec::new();
        for line in page.lines() {
            if let Some(comment) = line.strip_prefix("# TYPE ") {
                let (name, kind) = comment.split_once(' ').expect("a name and a kind");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                declared.push(name.to_owned());
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a series and a value");
                let name = series.split('{').next().unwrap_or_default();
                let is_declared = declared.iter().any(|known| name.starts_with(known.as_str()));
                assert!(is_declared, "{line} is of no family");
                let value = value.parse().expect("a number");
                assert_eq!(
                    samples.insert(series.to_owned(), value),
                    None,
                    "{series} is there twice"
                );
            }
        }
        Self(samples)
    }

    /// The value of a series, which must be there.
    pub(crate) fn get(&self, series: &str) -> f64 {
        *self.0.get(series).unwrap_or_else(|| panic!("no {series} in {:#?}", self.0))
    }

    /// All series of a name, added up.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let of_name = |series: &str| {
            series.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
        };
        self.0.iter().filter(|(series, _)| of_name(series)).map(|(_, value)| value).sum()
    }
}

/// A client made of packets.
pub(crate) struct Guest {
    socket: RawWs,
    asked: u32,
}

impl Guest {
    pub(crate) fn new(socket: RawWs) -> Self {
        Self { socket, asked: 0 }
    }

    /// Opens a session and joins it; the acknowledgement.
    pub(crate) async fn create(&mut self) -> Value {
        self.ask("session:create", json!({"name": "Sprint", "playerName": "Ann"})).await
    }

    pub(crate) async fn join(&mut self, created: &Value, name: &str) -> Value {
        let join = json!({"sessionId": created["sessionId"], "playerName": name});
        self.ask("session:join", join).await
    }

    /// The acknowledgement of an event.
    pub(crate) async fn ask(&mut self, event: &str, payload: Value) -> Value {
        self.asked += 1;
        say(&mut self.socket, &format!("42{}{}", self.asked, json!([event, payload]))).await;
        let answer = format!("43{}[", self.asked);
        loop {
            let packet = self.next().await;
            if let Some(rest) = packet.strip_prefix(&answer) {
                let body = rest.strip_suffix(']').expect("one argument");
                return serde_json::from_str(body).expect("an acknowledgement is JSON");
            }
        }
    }

    /// The next event of that name; others are passed over.
    pub(crate) async fn hears(&mut self, event: &str) -> Value {
        loop {
            let packet = self.next().await;
            let Some(array) = packet.strip_prefix("42") else { continue };
            let array: Value = serde_json::from_str(array).expect("an event is JSON");
            if array[0] == event {
                return array[1].clone();
            }
        }
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(30), see_text(&mut self.socket))
            .await
            .expect("something is said in time")
    }
}

pub(crate) fn vote(value: &str) -> Value {
    json!({"storyId": "s1", "value": value})
}
