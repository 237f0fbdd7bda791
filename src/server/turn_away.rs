//! A short answer for those who come when the house is full.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Tells connections beyond the limit 503 without parsing what they ask.
#[derive(Debug)]
pub(super) struct TurnAway {
    answers: Arc<Semaphore>,
}

impl TurnAway {
    /// Being told takes a task and a descriptor for a moment; beyond this many
    /// at once a connection is only closed.
    const ANSWERS_MAX: usize = 64;
    const LINGER: Duration = Duration::from_secs(1);
    const REQUEST_BYTES_MAX: usize = 8192;

    pub(super) fn answer(&self, stream: TcpStream, retry_after_s: u32) {
        let Ok(permit) = Arc::clone(&self.answers).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _ = timeout(Self::LINGER, refuse(stream, retry_after_s)).await;
            drop(permit);
        });
    }
}

impl Default for TurnAway {
    fn default() -> Self {
        Self { answers: Arc::new(Semaphore::new(Self::ANSWERS_MAX)) }
    }
}

/// The request is read only so that closing does not reset the connection and
/// with it the answer. Who asks is not known, so any page may read it.
async fn refuse(mut stream: TcpStream, retry_after_s: u32) -> std::io::Result<()> {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\n\
         Connection: close\r\nContent-Length: 0\r\nRetry-After: {retry_after_s}\r\n\
         Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut request = BytesMut::with_capacity(TurnAway::REQUEST_BYTES_MAX);
    while request.len() < TurnAway::REQUEST_BYTES_MAX {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    Ok(())
}
