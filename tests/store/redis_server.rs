//! A `redis-server` of the tests: on a free port, without persistence, gone
//! with the test that started it.

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cardroom::store::RedisStore;
use cardroom::store::redis::RedisOptions;
use redis::{FromRedisValue, cmd};

use crate::support::ports::free_port;

pub(crate) struct RedisServer {
    port: u16,
    /// A shell that ends the server when its standard input does: with us.
    keeper: Child,
}

const START_TIMEOUT: Duration = Duration::from_secs(30);

impl RedisServer {
    /// One for all tests that do not need their own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(crate) fn start() -> Self {
        Self::start_at(free_port())
    }

    pub(crate) fn start_at(port: u16) -> Self {
        Self::start_with(port, &[])
    }

    /// With arguments beside the usual ones.
    pub(crate) fn start_with(port: u16, arguments: &[&str]) -> Self {
        let port_text = port.to_string();
        // A replica leaves a file behind, which the next one must not read.
        let data = format!("redis-{port}.rdb");
        let _ = std::fs::remove_file(format!("{}/{data}", directory()));
        let usual =
            ["--port", &port_text, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        Self::run(
            port,
            &[&usual, &["--dir", &directory(), "--dbfilename", &data][..], arguments].concat(),
        )
    }

    /// Exactly so; returns when it listens at `port`.
    #[allow(clippy::disallowed_methods, reason = "another process starts in real time")]
    pub(crate) fn run(port: u16, arguments: &[&str]) -> Self {
        // Only what has been waited for has given its port back.
        let script =
            r#"redis-server "$@" & server=$!; read -r _; kill -9 "$server"; wait "$server""#;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", script, "sh"]).args(arguments);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let keeper = keeper.spawn().expect("a shell");
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                started.elapsed() < START_TIMEOUT,
                "no redis-server (scripts/install_redis.sh installs it)"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { port, keeper }
    }

    /// Like a crash: the process is killed, its memory is gone.
    pub(crate) fn kill(mut self) -> u16 {
        self.end();
        self.port
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address())
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Of the server itself, not of its shell.
    pub(crate) fn pid(&self) -> String {
        let info: String = self.ask_now(&["INFO", "server"]);
        let pid = info.lines().find_map(|line| line.strip_prefix("process_id:")).expect("a pid");
        pid.trim().to_owned()
    }

    /// Like [`Self::ask`], where nothing else waits.
    pub(crate) fn ask_now<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_now(words).expect("an answer")
    }

    pub(crate) fn try_now<T: FromRedisValue>(
        &self,
        words: &[&str],
    ) -> Result<T, redis::RedisError> {
        let client = redis::Client::open(self.url()).expect("a URL");
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(30))?;
        command(words).query(&mut connection)
    }

    /// A store whose keys nobody else has.
    pub(crate) async fn store(&self) -> RedisStore {
        self.connect(&Self::prefix()).await
    }

    pub(crate) fn prefix() -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("test{}:", COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// A store among those with this prefix, as another instance has one.
    pub(crate) async fn connect(&self, prefix: &str) -> RedisStore {
        RedisStore::connect(self.options(prefix)).await.expect("a store")
    }

    pub(crate) fn options(&self, prefix: &str) -> RedisOptions {
        options(&self.url(), prefix)
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).expect("a URL");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        command(words).query_async(&mut connection).await.expect("an answer")
    }

    pub(crate) async fn set(&self, setting: &str, value: &str) {
        let () = self.ask(&["CONFIG", "SET", setting, value]).await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn options(url: &str, prefix: &str) -> RedisOptions {
    RedisOptions {
        key_prefix: prefix.to_owned(),
        // For machines that do ten other things.
        command_timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(5),
        ready_timeout: Duration::from_secs(5),
        ..RedisOptions::new(url.to_owned().into())
    }
}

/// Where servers of the tests may write.
pub(crate) fn directory() -> String {
    env!("CARGO_TARGET_TMPDIR").to_owned()
}

/// To one process, which we started.
pub(crate) fn signal(pid: &str, name: &str) {
    let status = Command::new("kill").args(["-s", name, pid]).status().expect("kill");
    assert!(status.success());
}

fn command(words: &[&str]) -> redis::Cmd {
    let (name, arguments) = words.split_first().expect("a command");
    let mut command = cmd(name);
    command.arg(arguments);
    command
}
