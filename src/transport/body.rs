//! Bodies: what every response is made of, and how a request's is read.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

/// Every response is in memory when it starts, so hyper knows its
/// `Content-Length` and writes head and body at once.
pub type Body = Full<Bytes>;

/// In the extensions of a response: the connection ends instead of carrying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection is broken off without a response")]
pub struct BreakOff;

/// Why a request has no body to work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than `bytes_max`; answer 413.
    #[error("body exceeds the limit")]
    TooLarge,
    /// Not complete in time; answer 408.
    #[error("body did not arrive in time")]
    TimedOut,
    /// The peer went away or broke the framing; nobody reads an answer.
    #[error("body was cut short")]
    Aborted,
}

/// Collects a request body of at most `bytes_max` bytes (equal is fine) that
/// arrives within `timeout` as a whole.
///
/// An honest `Content-Length` beyond the limit is refused before a byte is read.
/// A body that came in one piece, the usual case, is not copied.
pub async fn read_body<B>(body: B, bytes_max: usize, timeout: Duration) -> Result<Bytes, BodyError>
where
    B: hyper::body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    let collect = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(timeout, collect).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Ok(Err(_)) => Err(BodyError::Aborted),
        Err(_) => Err(BodyError::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn chunks(
        chunks: &'static [&'static str],
    ) -> impl hyper::body::Body<Data = Bytes, Error = Infallible> {
        let frames =
            chunks.iter().map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
        StreamBody::new(stream::iter(frames))
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_accepted() {
        assert_eq!(read_body(Body::from("12345"), 5, SECOND).await.unwrap(), "12345");
        assert_eq!(read_body(chunks(&["123", "45"]), 5, SECOND).await.unwrap(), "12345");
    }

    #[tokio::test]
    async fn one_byte_more_is_too_large_with_and_without_a_length() {
        assert_eq!(read_body(Body::from("123456"), 5, SECOND).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(chunks(&["123", "456"]), 5, SECOND).await, Err(BodyError::TooLarge));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_times_out() {
        let never = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert_eq!(read_body(never, 5, SECOND).await, Err(BodyError::TimedOut));
    }
}
