//! Everything that can be set, with its default and its range.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use http::Uri;
use http::uri::Scheme;
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use tracing_subscriber::EnvFilter;

use crate::api::client_event::EventName;
use crate::config::table::{Check, Free, Rule, Secret, section};
use crate::identity::Keyring;
use crate::identity::origins::origin;

/// The effective configuration; every value is within its range.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub server: ServerConfig,
    pub engine: EngineConfig,
    pub session: SessionConfig,
    pub recovery: RecoveryConfig,
    pub limits: LimitsConfig,
    pub rate_limits: RateLimits,
    pub redis: RedisConfig,
    pub instances: InstancesConfig,
    pub auth: AuthConfig,
    pub page: PageConfig,
    pub log: LogConfig,
    pub metrics: MetricsConfig,
    pub admin: AdminConfig,
}

section! {
    /// Listening, HTTP and who may connect.
    "server" ServerConfig {
        /// Address and port.
        listen: SocketAddr = SocketAddr::from(([0, 0, 0, 0], 3000)), Free;
        /// Origins that browsers may connect from besides the server's own:
        /// `scheme://host`, `scheme://host:port`, `scheme://host:*` for any
        /// port, or `*` for all. The default is for development: pages served
        /// by a local tool. The variable CLIENT_URL adds to the list.
        origins: Vec<String> = vec!["http://localhost:*".to_owned(), "http://127.0.0.1:*".to_owned()],
            Rule(|list: &Vec<String>| origins(list));
        /// Transports that clients may use.
        transports: Vec<Transport> = vec![Transport::Websocket, Transport::Polling], Rule(|list: &Vec<Transport>| transports(list));
        /// Proxies and load balancers in front, by address or network such as
        /// `10.0.0.0/8`: who a client is, is what they say in X-Forwarded-For,
        /// read from the right as far as these have written it. Nobody else is
        /// believed. Without it, all that comes through a proxy is one address
        /// to every limit by address.
        trusted_proxies: Vec<String> = Vec::new(), Rule(|list: &Vec<String>| networks(list));
        /// `v2`: every connection begins with the PROXY protocol, version 2, and
        /// comes from `trusted_proxies`; the other instances are to be named
        /// there too. `off`: none does.
        proxy_protocol: ProxyProtocol = ProxyProtocol::Off, Free;
        /// Open connections of clients; more are refused with 503.
        connections_max: usize = 20_000, 1..=1_000_000;
        /// TCP connections, which polling needs for moments and relays for
        /// others; above `connections_max`, so that those who are here are not
        /// turned away with those who come. 0: half as many again.
        tcp_connections_max: usize = 0, 0..=2_000_000;
        /// While the process uses so much memory, nobody new is let in, with
        /// 503; who is here stays. 0: never.
        memory_bytes_max: u64 = 0, 0..=1_099_511_627_776;
        /// From the first byte of a request to the end of its headers.
        header_timeout_ms: u64 = 5_000, 100..=60_000;
        /// All headers of a request together.
        header_bytes_max: usize = 16_384, 8_192..=1_048_576;
        /// Headers of a request.
        header_count_max: usize = 64, 16..=1_000;
        /// The body of a REST request; polling has `engine.max_payload_bytes`.
        body_bytes_max: usize = 65_536, 1_024..=16_777_216;
        /// From the headers of a request to the end of its body.
        body_timeout_ms: u64 = 10_000, 100..=600_000;
        /// How long an HTTP connection may wait for its next request. Longer
        /// than the load balancer's, or it meets closed connections.
        keep_alive_ms: u64 = 75_000, 1_000..=3_600_000;
        /// How long a write may make no progress, and the kernel's buffers may
        /// stay full, before the connection ends. Whoever stops reading is gone
        /// after that; so is whoever has no network for so long.
        write_stall_ms: u64 = 8_000, 100..=600_000;
        /// What the kernel may hold of one connection that its client has not
        /// read (SO_SNDBUF). Linux doubles the number for its own book-keeping,
        /// so that about as much payload fits. Left alone it would grow to some
        /// megabytes for each client that reads slowly.
        send_buffer_bytes: usize = 65_536, 4_096..=16_777_216;
        /// The same for what the server has not read (SO_RCVBUF).
        receive_buffer_bytes: usize = 65_536, 4_096..=16_777_216;
        /// How long connections get to leave when the server is told to end
        /// or to drain: they are closed one after the other in this time.
        drain_seconds: u64 = 20, 0..=3_600;
        /// From such a wish to the first close, a quarter of `drain_seconds`
        /// at the most: until then a load balancer should have noticed that
        /// `/readyz` fails, or it sends the first who come back here again.
        drain_notice_ms: u64 = 2_000, 0..=600_000;
        /// Our certificate and those of its issuers, PEM: with it, the port
        /// speaks TLS 1.2 and 1.3. Read again on SIGHUP. Empty: plain HTTP, as
        /// it should be behind a load balancer.
        tls_certificate_file: String = String::new(), Free;
        /// The key of the certificate, PEM.
        tls_key_file: String = String::new(), Free;
    }
}

section! {
    /// The wire: Engine.IO and Socket.IO.
    "engine" EngineConfig {
        /// Between two heartbeats.
        ping_interval_ms: u64 = 25_000, 100..=600_000;
        /// How long a heartbeat may stay unanswered.
        ping_timeout_ms: u64 = 60_000, 100..=600_000;
        /// From the opening of a connection to its first namespace.
        connect_timeout_ms: u64 = 45_000, 100..=600_000;
        /// How long an upgrade from polling to WebSocket may take.
        upgrade_timeout_ms: u64 = 10_000, 100..=600_000;
        /// How long a polling connection that was closed waits for the poll
        /// whose answer says so.
        close_timeout_ms: u64 = 30_000, 100..=600_000;
        /// One message, or one POST of polling.
        max_payload_bytes: usize = 65_536, 1_024..=16_777_216;
        /// Packets in one POST of polling.
        packets_per_post_max: usize = 64, 1..=10_000;
        /// Binary attachments of one packet.
        attachments_max: usize = 2, 0..=10;
        /// Fragments of one WebSocket message.
        fragments_max: usize = 32, 1..=10_000;
        /// From the first byte of a WebSocket message to its last, whatever its
        /// fragments.
        fragment_timeout_ms: u64 = 5_000, 100..=600_000;
        /// Packets of one client in a second that ask for nothing (pings, pongs,
        /// noops, namespaces joined and left); more close its connection.
        idle_packets_per_second_max: u32 = 100, 10..=1_000_000;
        /// What may wait for a client that takes nothing, besides the message
        /// that it is in the middle of. Buffers are counted whole, and in full
        /// for each of those who share them.
        slow_bytes_max: usize = 49_152, 4_096..=67_108_864;
        /// How long a client may take nothing while something waits for it, or
        /// let more than `slow_bytes_max` wait. Then it is closed.
        slow_timeout_ms: u64 = 8_000, 1_000..=600_000;
        /// Bytes that may wait for one client in any case: the burst behind
        /// which even a quick one falls for a moment. The list of 500 long
        /// stories has to fit, and what follows it.
        outbox_bytes_max: usize = 1_048_576, 16_384..=67_108_864;
        /// Messages that may wait for one client in any case.
        outbox_messages_max: usize = 1_024, 16..=65_536;
    }
}

section! {
    /// The life of a session and of its seats.
    "session" SessionConfig {
        /// From a connection to its join; without one it is closed.
        join_timeout_ms: u64 = 45_000, 100..=600_000;
        /// From the loss of a seat's last socket to `player:left`.
        disconnect_grace_ms: u64 = 10_000, 0..=600_000;
        /// The same when its instance ended, was sent away or died: clients of
        /// such an instance come back later.
        drain_grace_ms: u64 = 30_000, 0..=600_000;
        /// Without any facilitator online, until everybody may reveal.
        facilitator_grace_ms: u64 = 30_000, 0..=3_600_000;
        /// Without the host online, until there is an acting host.
        host_grace_ms: u64 = 30_000, 0..=3_600_000;
        /// How long a seat is kept for somebody who left.
        seat_kept_minutes: u64 = 30, 0..=43_200;
        /// A session ends this long after its last join or change.
        ttl_ms: u64 = 86_400_000, 300_000..=2_592_000_000;
        /// How long before that its players are told.
        expiry_notice_ms: u64 = 600_000, 0..=86_400_000;
        /// How long late visitors read "expired" rather than "not found".
        tombstone_ttl_ms: u64 = 604_800_000, 0..=2_592_000_000;
        /// Changes of who is online are collected for this long.
        status_debounce_ms: u64 = 1_000, 0..=60_000;
        /// Changes of who is away are collected for this long.
        away_debounce_ms: u64 = 2_000, 0..=60_000;
    }
}

section! {
    /// Sockets that come back after their connection was lost.
    "recovery" RecoveryConfig {
        /// For so long they can, with all that they missed; 0: never. What is
        /// kept for it in Redis is `redis.replay_window_seconds`.
        window_seconds: u64 = 120, 0..=3_600;
    }
}

section! {
    /// How much there may be of anything.
    "limits" LimitsConfig {
        /// Live sessions.
        sessions_max: usize = 10_000, 1..=10_000_000;
        /// Seats of a session, whatever its own settings say.
        players_per_session_max: usize = 200, 2..=10_000;
        /// Stories of a session.
        stories_per_session_max: usize = 500, 1..=10_000;
        /// Refused events of a socket in 60 s before it is closed.
        rejected_events_max: usize = 200, 1..=100_000;
        /// Open connections of one address, which is an IPv4 address or an IPv6
        /// network (/64) and may be a whole office; more are refused with 503.
        connections_per_address_max: usize = 1_000, 1..=1_000_000;
        /// TCP connections of one address; beyond, they serve only what is open
        /// already, and beyond twice as many they are refused with 503.
        tcp_connections_per_address_max: usize = 4_000, 1..=1_000_000;
        /// New connections in a second; those of ten seconds may come at once.
        handshakes_per_second_max: usize = 1_000, 1..=1_000_000;
        /// New connections of one address in a second; those of ten seconds may
        /// come at once.
        handshakes_per_address_per_second_max: usize = 100, 1..=1_000_000;
        /// Sessions that one address opens in any hour.
        sessions_per_address_hour_max: usize = 60, 1..=1_000_000;
        /// Failed joins of an address in the window below.
        failed_joins_max: usize = 20, 1..=100_000;
        /// The window of `failed_joins_max`.
        failed_joins_window_seconds: u64 = 600, 1..=86_400;
        /// Failed joins of all addresses together: codes can be guessed.
        failed_joins_per_minute_max: usize = 1_000, 1..=1_000_000;
    }
}

section! {
    /// Sessions in Redis, where every instance finds them. Redis 7 or newer,
    /// with `maxmemory-policy noeviction`.
    "redis" RedisConfig {
        /// `redis://[user:password@]host:port[/database]`: one server, or a
        /// node of a cluster; several, with commas between them: nodes of a
        /// cluster. Sentinel:
        /// `redis+sentinel://[user:password@]host:port,host:port/name[/database]`
        /// with the login of the primary. TLS: `rediss` for `redis`. Empty:
        /// sessions live in this process and end with it.
        url: RedisUrl = RedisUrl::default(), Secret(|url: &RedisUrl| redis_url(url));
        /// The login of the sentinels themselves, where they want one.
        sentinel_user: String = String::new(), Free;
        sentinel_password: Password = Password::default(), Secret(|_: &Password| Ok(()));
        /// Root certificates (PEM) for `rediss`; empty: those of the system.
        tls_ca_file: String = String::new(), Free;
        /// In front of every key and channel, for a Redis that others use too.
        key_prefix: String = String::new(), Rule(|text: &String| key_prefix(text));
        /// From the start of a connection until it can be used.
        connect_timeout_ms: u64 = 2_000, 100..=60_000;
        /// From a command to its reply; then clients read STATE_UNAVAILABLE.
        command_timeout_ms: u64 = 1_000, 50..=60_000;
        /// How long `/readyz` waits for Redis.
        ready_timeout_ms: u64 = 500, 50..=60_000;
        /// When a command counts as committed. `fast`: when the primary has it;
        /// a failover may lose the last moments. `strict`: when
        /// `wait_replicas` replicas have it too, and nobody sees it before;
        /// without replicas nothing is accepted. `auto`: strict under Sentinel
        /// and in a cluster with replicas, else fast.
        durability: Durability = Durability::Auto, Free;
        /// Replicas that `strict` waits for, half of `command_timeout_ms` at
        /// the most.
        wait_replicas: u32 = 1, 1..=10;
        /// Whether events of `@socket.io/redis-emitter` to the rooms
        /// `session:{id}` reach the clients; whoever may publish in this Redis
        /// speaks to them then. The names of the game are refused.
        emitter: bool = false, Free;
        /// Events younger than this can be replayed to whoever missed them.
        replay_window_seconds: u64 = 300, 10..=3_600;
    }
}

section! {
    /// One of several instances on one Redis.
    "instances" InstancesConfig {
        /// `host:port` under which the other instances reach this one; empty:
        /// the address that it listens on, or where that is every address, the
        /// one of the default route.
        advertised_address: String = String::new(), Rule(|text: &String| advertised_address(text));
        /// Address and port of their own for what instances ask each other,
        /// never secured by TLS: for a network where they are among themselves.
        /// Empty: they ask at `server.listen`. Has to be set where that speaks
        /// TLS and there is a `shared_secret`.
        listen: String = String::new(), Rule(|text: &String| optional_address(text));
        /// What the instances share and nobody else knows, 32 bytes or more:
        /// with it, any instance answers for any connection, and no load
        /// balancer needs sticky sessions. Empty: none asks another.
        shared_secret: SharedSecret = SharedSecret::default(), Secret(|secret: &SharedSecret| shared_secret(secret));
        /// How long after its last sign of life an instance counts as dead.
        lease_ms: u64 = 15_000, 500..=600_000;
        /// How often an instance gives a sign of life; at least three times in
        /// a lease, whatever is said here.
        renew_ms: u64 = 5_000, 100..=200_000;
        /// The name under which a scheduler runs this instance, so that it can
        /// be told to drain by that name. Empty: on AWS ECS the ARN of its
        /// task, elsewhere none.
        task: String = String::new(), Rule(|text: &String| task(text));
    }
}

section! {
    /// Who may take a seat back.
    "auth" AuthConfig {
        /// `token`: only with its player token. `open`: also with its bare
        /// player id while nobody sits there, for clients that know only the
        /// original specification.
        reclaim: Reclaim = Reclaim::Token, Free;
        /// Keys of the player tokens: the first signs, all verify. Without
        /// any, a random key is made at the start, so that tokens do not
        /// outlive the process. Secrets of 32 bytes or more, e.g.
        /// [{ kid = "2025a", secret = "…" }].
        token_keys: Vec<TokenKey> = Vec::new(), Secret(|keys: &Vec<TokenKey>| token_keys(keys));
        /// The life of a player token.
        token_ttl_ms: u64 = 86_400_000, 300_000..=2_592_000_000;
    }
}

section! {
    /// The web page.
    "page" PageConfig {
        /// Origins whose pages may embed this one in a frame, such as a wiki's:
        /// `https://wiki.example.org`. Nobody's when empty.
        frame_ancestors: Vec<String> = Vec::new(), Rule(|list: &Vec<String>| frame_ancestors(list));
    }
}

section! {
    /// Logging, on standard error.
    "log" LogConfig {
        /// A level, or directives such as `info,cardroom::table=debug`.
        level: String = "info".to_owned(), Rule(|text: &String| filter(text));
        /// `text` for people, `json` for machines.
        format: LogFormat = LogFormat::Text, Free;
        /// Where spans of connections, commands and sessions go, by OTLP over
        /// HTTP: `http://127.0.0.1:4318/v1/traces`. Needs a server that was
        /// built with the feature `otlp`. Empty: nowhere.
        otlp_endpoint: String = String::new(), Rule(|text: &String| otlp_endpoint(text));
    }
}

section! {
    /// Numbers for Prometheus.
    "metrics" MetricsConfig {
        /// Address and port of `/metrics`, apart from the clients; empty: no
        /// such port. For whoever reaches it, unless there is a token.
        listen: String = String::new(), Rule(|text: &String| optional_address(text));
        /// With it, 16 bytes or more, `/metrics` also answers on the main port,
        /// to those who send it as `Authorization: Bearer …`. Empty: it does not.
        token: SharedSecret = SharedSecret::default(), Secret(|secret: &SharedSecret| operator_token(secret));
    }
}

section! {
    /// For those who run the server.
    "admin" AdminConfig {
        /// With it, 16 bytes or more, `/api/v1/status` answers to those who send
        /// it as `Authorization: Bearer …`. Empty: it does not.
        token: SharedSecret = SharedSecret::default(), Secret(|secret: &SharedSecret| operator_token(secret));
    }
}

/// Attempts in any 60 s, by client event; per seat, or per address before a
/// join. All events of the catalogue are in it, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits(pub(super) BTreeMap<&'static str, u32>);

impl RateLimits {
    /// `None`: not an event of the catalogue.
    pub fn limit(&self, event: &str) -> Option<u32> {
        self.0.get(event).copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        self.0.iter().map(|(event, limit)| (*event, *limit))
    }

    pub(super) const KEY: &str = "rate_limits";

    pub(super) fn check() -> impl Check<u32> {
        1..=100_000
    }
}

impl Default for RateLimits {
    fn default() -> Self {
        let own = |event: &EventName| (event.as_str(), u32::from(event.accepted_per_minute()));
        Self(EventName::ALL.iter().map(own).collect())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    Websocket,
    Polling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    Off,
    V2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    Auto,
    Fast,
    Strict,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reclaim {
    Token,
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Prints without its secret, in `{:?}` and in TOML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenKey {
    pub kid: String,
    pub secret: SecretString,
}

impl Serialize for TokenKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        BTreeMap::from([("kid", self.kid.as_str()), ("secret", REDACTED)]).serialize(serializer)
    }
}

/// May hold a password; prints without it, in `{:?}` and in TOML.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct RedisUrl(SecretString);

impl RedisUrl {
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    pub const fn secret(&self) -> &SecretString {
        &self.0
    }

    fn shown(&self) -> String {
        let url = self.0.expose_secret();
        match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{REDACTED}@{host}"),
            _ => url.to_owned(),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

/// Prints without itself, in `{:?}` and in TOML.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct SharedSecret(SecretString);

impl SharedSecret {
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for SharedSecret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Serialize for SharedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() { "" } else { REDACTED }.serialize(serializer)
    }
}

/// It can be guessed at from what it signs, by whoever has a connection.
fn shared_secret(secret: &SharedSecret) -> Result<(), String> {
    if secret.is_empty() || SHARED_SECRET_BYTES_MIN <= secret.expose().len() {
        return Ok(());
    }
    Err(format!("must be {SHARED_SECRET_BYTES_MIN} bytes or more, or empty"))
}

const SHARED_SECRET_BYTES_MIN: usize = 32;

/// As a header can carry it.
fn operator_token(secret: &SharedSecret) -> Result<(), String> {
    let text = secret.expose();
    let is_token = OPERATOR_TOKEN_BYTES_MIN <= text.len()
        && text.len() <= OPERATOR_TOKEN_BYTES_MAX
        && text.bytes().all(|b| b.is_ascii_graphic());
    if text.is_empty() || is_token {
        return Ok(());
    }
    Err(format!(
        "must be {OPERATOR_TOKEN_BYTES_MIN} to {OPERATOR_TOKEN_BYTES_MAX} visible ASCII characters, or empty"
    ))
}

const OPERATOR_TOKEN_BYTES_MIN: usize = 16;
const OPERATOR_TOKEN_BYTES_MAX: usize = 512;

fn optional_address(text: &str) -> Result<(), String> {
    if text.is_empty() || text.parse::<SocketAddr>().is_ok() {
        return Ok(());
    }
    Err("must be an address and a port such as 127.0.0.1:9464, or empty".to_owned())
}

/// Prints without itself, in `{:?}` and in TOML.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Password(SecretString);

impl Password {
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    pub const fn secret(&self) -> &SecretString {
        &self.0
    }

    fn shown(&self) -> &'static str {
        if self.is_empty() { "" } else { REDACTED }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown().serialize(serializer)
    }
}

fn redis_url(url: &RedisUrl) -> Result<(), String> {
    let text = url.0.expose_secret();
    let has_scheme = |(scheme, rest): (&str, &str)| {
        let (transport, kind) = scheme.split_once('+').unwrap_or((scheme, "cluster"));
        matches!(transport, "redis" | "rediss")
            && matches!(kind, "sentinel" | "cluster")
            && !rest.is_empty()
    };
    if text.is_empty() || text.split_once("://").is_some_and(has_scheme) {
        return Ok(());
    }
    Err("must be redis://[user:password@]host:port[/database] or another of its forms, or empty"
        .to_owned())
}

fn key_prefix(text: &str) -> Result<(), String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-' | b'.');
    if text.len() <= KEY_PREFIX_BYTES_MAX && text.bytes().all(plain) {
        return Ok(());
    }
    Err(format!("must be at most {KEY_PREFIX_BYTES_MAX} letters, digits, and : _ - ."))
}

const KEY_PREFIX_BYTES_MAX: usize = 64;

fn advertised_address(text: &str) -> Result<(), String> {
    let is_authority = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        let plain =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':');
        let is_host = !host.is_empty() && host.len() <= 253 && host.bytes().all(plain);
        (is_host && port.parse::<u16>().is_ok_and(|port| port != 0)).then_some(())
    };
    if text.is_empty() || is_authority(text).is_some() {
        return Ok(());
    }
    Err("must be host:port, or empty".to_owned())
}

fn task(text: &str) -> Result<(), String> {
    let is_printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_printable && text.len() <= TASK_BYTES_MAX {
        return Ok(());
    }
    Err(format!("must be printable ASCII without spaces, {TASK_BYTES_MAX} bytes at the most"))
}

const TASK_BYTES_MAX: usize = 512;

pub(super) const REDACTED: &str = "[redacted]";

fn origins(list: &[String]) -> Result<(), String> {
    match list.iter().find(|text| origin(text).is_none()) {
        None if list.len() <= ORIGINS_MAX => Ok(()),
        None => Err(format!("must not have more than {ORIGINS_MAX} entries")),
        Some(bad) => Err(format!("{bad:?} is no origin such as https://poker.example.org")),
    }
}

fn frame_ancestors(list: &[String]) -> Result<(), String> {
    match list.iter().find(|text| *text == "*") {
        None => origins(list),
        Some(_) => Err("must name the origins: any page in the world is too many".to_owned()),
    }
}

fn networks(list: &[String]) -> Result<(), String> {
    match list.iter().find(|text| network(text).is_none()) {
        None if list.len() <= NETWORKS_MAX => Ok(()),
        None => Err(format!("must not have more than {NETWORKS_MAX} entries")),
        Some(bad) => Err(format!("{bad:?} is no address, and no network such as 10.0.0.0/8")),
    }
}

const NETWORKS_MAX: usize = 100;

/// An address alone is a network of one. `None` when it is neither.
pub fn network(text: &str) -> Option<IpNet> {
    let address = text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|| text.parse::<IpNet>().ok().map(|network| network.trunc()))
}

fn transports(list: &[Transport]) -> Result<(), String> {
    if list.is_empty() { Err("must name at least one transport".to_owned()) } else { Ok(()) }
}

fn token_keys(keys: &[TokenKey]) -> Result<(), String> {
    if keys.is_empty() {
        return Ok(());
    }
    let pairs = keys.iter().map(|key| (key.kid.clone(), key.secret.clone()));
    let problem = |error| format!("must be keys that can sign: {error}");
    Keyring::new(pairs).map(drop).map_err(problem)
}

fn filter(text: &str) -> Result<(), String> {
    EnvFilter::try_new(text).map(drop).map_err(|error| format!("must be a log filter: {error}"))
}

/// Without TLS: that is the collector's to speak, which runs beside the server.
fn otlp_endpoint(text: &str) -> Result<(), String> {
    let is_plain = |uri: &Uri| uri.scheme() == Some(&Scheme::HTTP);
    let has_host = |uri: &Uri| uri.authority().is_some_and(|who| !who.as_str().contains('@'));
    let is_good = text.parse::<Uri>().is_ok_and(|uri| is_plain(&uri) && has_host(&uri));
    match text.is_empty() || is_good {
        true => Ok(()),
        false => Err("must be http://host:port/path, or empty".to_owned()),
    }
}

const ORIGINS_MAX: usize = 100;
