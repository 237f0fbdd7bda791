//! TCP from one instance to another.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::transport::relay::Unanswered;

/// How a connection to another instance is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialling {
    pub(super) timeout: Duration,
    pub(super) preamble: &'static [u8],
}

/// Opens a connection that notices when the other machine is gone.
pub(super) async fn dial(address: &str, dialling: Dialling) -> Result<TcpStream, Unanswered> {
    let open = async {
        let mut stream = TcpStream::connect(address).await?;
        set_options(&stream);
        stream.write_all(dialling.preamble).await?;
        Ok::<_, std::io::Error>(stream)
    };
    match timeout(dialling.timeout, open).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, address, "failed to reach an instance");
            Err(Unanswered::Lost)
        }
        Err(_) => {
            tracing::debug!(address, "failed to reach an instance in time");
            Err(Unanswered::Lost)
        }
    }
}

/// They fail on a socket that is already gone, which the next read will tell.
fn set_options(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    {
        // A parked poll sends nothing: without probes nobody would learn that
        // the owner's machine is gone. Some ten seconds.
        let keepalive = socket2::TcpKeepalive::new()
            .with_time(Duration::from_secs(5))
            .with_interval(Duration::from_secs(2))
            .with_retries(3);
        let socket = socket2::SockRef::from(stream);
        let _ = socket.set_tcp_keepalive(&keepalive);
        let _ = socket.set_tcp_user_timeout(Some(Duration::from_secs(10)));
    }
}

/// A task that ends with whoever holds this.
#[derive(Debug)]
pub(super) struct Bound<T>(pub(super) JoinHandle<T>);

impl<T> Drop for Bound<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
