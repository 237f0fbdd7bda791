//! A way to Redis that can be slow, silent or cut.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

pub struct Proxy {
    port: u16,
    delay_ms: Arc<AtomicU64>,
    /// Changes with every cut.
    cuts: watch::Sender<u64>,
    accepted: Arc<AtomicU64>,
}

impl Proxy {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (cuts, cut) = watch::channel(0);
        let delay_ms = Arc::new(AtomicU64::new(0));
        let accepted = Arc::new(AtomicU64::new(0));
        let proxy =
            Self { port, delay_ms: Arc::clone(&delay_ms), cuts, accepted: Arc::clone(&accepted) };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                accepted.fetch_add(1, Ordering::Relaxed);
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
                    continue;
                };
                let _ = (near.set_nodelay(true), far.set_nodelay(true));
                let mut cut = cut.clone();
                cut.mark_unchanged();
                let delay_ms = Arc::clone(&delay_ms);
                tokio::spawn(async move {
                    let ((near_in, near_out), (far_in, far_out)) =
                        (near.into_split(), far.into_split());
                    tokio::select! {
                        () = pump(near_in, far_out, Arc::default()) => {}
                        () = pump(far_in, near_out, delay_ms) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        proxy
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Every answer is so late from now on.
    pub fn delay(&self, by: Duration) {
        self.delay_ms.store(by.as_millis() as u64, Ordering::Relaxed);
    }

    /// All connections end; new ones are taken.
    pub fn cut(&self) {
        self.cuts.send_modify(|count| *count += 1);
    }

    /// Connections that were taken until now.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay_ms: Arc<AtomicU64>) {
    let mut buffer = vec![0; 16 * 1_024];
    while let Ok(count) = from.read(&mut buffer).await {
        let delay = delay_ms.load(Ordering::Relaxed);
        if 0 < delay {
            sleep(Duration::from_millis(delay)).await;
        }
        if count == 0 || to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}
