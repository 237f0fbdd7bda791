//! A `redis-server` on a free port, which keeps nothing on disk, can be killed
//! and can come back.

use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::ports::free_port;

const START_TIMEOUT: Duration = Duration::from_secs(30);

pub struct RedisServer {
    port: u16,
    password: String,
    /// A shell that ends the server when its standard input does: with us.
    keeper: Option<Child>,
}

impl RedisServer {
    /// With a password, which no function may ever say.
    pub fn start() -> Self {
        let port = free_port();
        let password = format!("canary-redis-{port}-0123456789abcdef");
        let mut server = Self { port, password, keeper: None };
        server.come_back();
        server
    }

    /// Killed, its memory gone.
    pub fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            let _ = keeper.wait();
        }
    }

    /// At the same port, empty.
    #[allow(clippy::disallowed_methods, reason = "another process starts in real time")]
    pub fn come_back(&mut self) {
        let port = self.port.to_string();
        // Only what has been waited for has given its port back.
        let script =
            r#"redis-server "$@" & server=$!; read -r _; kill -9 "$server"; wait "$server""#;
        let mut keeper = Command::new("sh");
        keeper.args(["-c", script, "sh", "--port", &port, "--bind", "127.0.0.1"]);
        keeper.args(["--save", "", "--appendonly", "no", "--requirepass", &self.password]);
        keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        self.keeper = Some(keeper.spawn().expect("a shell"));
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(
                started.elapsed() < START_TIMEOUT,
                "no redis-server (scripts/install_redis.sh installs it)"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// By way of another port, such as a proxy's.
    pub fn url_at(&self, port: u16) -> String {
        format!("redis://:{}@127.0.0.1:{port}", self.password)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn password(&self) -> &str {
        &self.password
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
