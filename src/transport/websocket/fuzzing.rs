//! A door for `fuzz/`: the reader and its rules on bytes that are all there.

use bytes::Bytes;
use tokio::net::tcp::OwnedReadHalf;

use crate::transport::stream::ReadHalf;
use crate::transport::websocket::reader::{Incoming, ReadEnd, Reader};
use crate::transport::websocket::rules::{FrameRules, ReadLimits};
use crate::transport::websocket::violation::Violation;

/// Reads `bytes`, then what `stream` has (nothing, if its peer has hung up).
/// Gives the stream back, for the next bytes.
pub async fn read(
    stream: OwnedReadHalf,
    bytes: Bytes,
    limits: ReadLimits,
    mut heard: impl FnMut(Incoming),
) -> (ReadEnd, OwnedReadHalf) {
    let mut reader = Reader::new(ReadHalf::Plain(stream), bytes, limits, None);
    let end = loop {
        match reader.next().await {
            Ok(incoming) => heard(incoming),
            Err(end) => break end,
        }
    };
    match reader.into_stream().0 {
        ReadHalf::Plain(stream) => (end, stream),
        ReadHalf::Tls(_) => unreachable!("it was plain when it came in"),
    }
}

/// What the rules alone say of `bytes` that come in pieces.
///
/// # Errors
/// The first violation.
pub fn follow(bytes: &[u8], piece_bytes: usize, limits: ReadLimits) -> Result<(), Violation> {
    let mut rules = FrameRules::new(limits);
    for mut piece in bytes.chunks(piece_bytes.max(1)) {
        while !piece.is_empty() {
            let taken = rules.follow(piece)?;
            assert!(0 < taken && taken <= piece.len(), "each call gets further");
            piece = &piece[taken..];
        }
    }
    Ok(())
}
