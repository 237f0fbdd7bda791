//! A `redis-server` of the tests: on a free port, without persistence, gone
//! with the test that started it.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cardroom::store::RedisStore;
use cardroom::store::redis::RedisOptions;
use redis::{FromRedisValue, cmd};

pub(super) struct RedisServer {
    port: u16,
    /// A shell that ends the server when its standard input does: with us.
    keeper: Child,
}

const START_TIMEOUT: Duration = Duration::from_secs(10);

impl RedisServer {
    /// One for all tests that do not need their own.
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        Self::start_at(port)
    }

    #[allow(clippy::disallowed_methods, reason = "another process starts in real time")]
    pub(super) fn start_at(port: u16) -> Self {
        let script = r#"redis-server "$@" & server=$!; read -r _; kill -9 "$server""#;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", script, "sh", "--port"]).arg(port.to_string());
        keeper.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"]);
        keeper.arg(std::env::temp_dir());
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
    pub(super) fn kill(mut self) -> u16 {
        self.end();
        self.port
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A store whose keys nobody else has.
    pub(super) async fn store(&self) -> RedisStore {
        self.connect(&Self::prefix()).await
    }

    pub(super) fn prefix() -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        format!("test{}:", COUNT.fetch_add(1, Ordering::Relaxed))
    }

    /// A store among those with this prefix, as another instance has one.
    pub(super) async fn connect(&self, prefix: &str) -> RedisStore {
        RedisStore::connect(self.options(prefix)).await.expect("a store")
    }

    pub(super) fn options(&self, prefix: &str) -> RedisOptions {
        RedisOptions {
            key_prefix: prefix.to_owned(),
            // For machines that do ten other things.
            command_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            ..RedisOptions::new(self.url().into())
        }
    }

    pub(super) async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis::Client::open(self.url()).expect("a URL");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let (name, arguments) = words.split_first().expect("a command");
        let mut command = cmd(name);
        arguments.iter().for_each(|argument| {
            command.arg(argument);
        });
        command.query_async(&mut connection).await.expect("an answer")
    }

    pub(super) async fn set(&self, setting: &str, value: &str) {
        let () = self.ask(&["CONFIG", "SET", setting, value]).await;
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.end();
    }
}
