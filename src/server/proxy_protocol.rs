//! The PROXY protocol, version 2: with what a proxy that passes TCP on says
//! for whom, before the first byte of HTTP.
//!
//! Written from §2.2 of HAProxy's `proxy-protocol.txt` (2020/03/05). Version 1,
//! the text, is not spoken. The parsers on crates.io want the whole header in
//! a buffer; here nothing is read beyond it, so that the stream behind it is
//! untouched.
//!
//! ```text
//!  0            12        13              14       16
//!  signature    version   address family  length   addresses, then TLVs
//!               command   transport       (BE)     `length` bytes
//! ```

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const HEAD_BYTES: usize = 16;
/// Header and addresses with what else proxies tell; the least that every
/// path carries in one segment.
const BYTES_MAX: usize = 536;

/// What we say to another instance whose listener wants a header: that we
/// speak for ourselves. What is relayed is sealed with its client.
pub(super) const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not the PROXY protocol, version 2")]
    Signature,
    #[error("unknown command or address family")]
    Unknown,
    #[error("longer than {BYTES_MAX} bytes")]
    TooLong,
    #[error("too short for its addresses")]
    TooShort,
}

/// Reads the header, and nothing behind it. `None`: the proxy speaks for
/// itself, or for somebody without an address of IP and a port.
///
/// Not cancel-safe; who gives up drops the stream.
pub async fn read_header(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<Option<SocketAddr>, ProxyError> {
    let mut head = [0; HEAD_BYTES];
    stream.read_exact(&mut head).await?;
    let head = Head::read(&head)?;
    let mut rest = [0; BYTES_MAX - HEAD_BYTES];
    let rest = rest.get_mut(..head.length).ok_or(ProxyError::TooLong)?;
    stream.read_exact(rest).await?;
    head.source(rest)
}

struct Head {
    addresses: Addresses,
    length: usize,
}

enum Addresses {
    /// To be skipped.
    None,
    V4,
    V6,
}

impl Head {
    fn read(bytes: &[u8; HEAD_BYTES]) -> Result<Self, ProxyError> {
        const LOCAL: u8 = 0x20;
        const PROXY: u8 = 0x21;
        let [signature @ .., command, family, high, low] = bytes;
        if *signature != SIGNATURE {
            return Err(ProxyError::Signature);
        }
        let addresses = match (*command, *family) {
            // "The receiver must … discard the protocol block including the
            // family which is ignored."
            (LOCAL, _) => Addresses::None,
            (PROXY, 0x11) => Addresses::V4,
            (PROXY, 0x21) => Addresses::V6,
            // Unspecified, datagrams, and sockets of a machine's own.
            (PROXY, 0x00 | 0x12 | 0x22 | 0x31 | 0x32) => Addresses::None,
            _ => return Err(ProxyError::Unknown),
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        if BYTES_MAX - HEAD_BYTES < length {
            return Err(ProxyError::TooLong);
        }
        Ok(Self { addresses, length })
    }

    /// Source address, destination address, source port, destination port;
    /// the TLVs behind them are nobody's here.
    fn source(&self, rest: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
        match self.addresses {
            Addresses::None => Ok(None),
            Addresses::V4 => {
                let block: &[u8; 12] = rest.first_chunk().ok_or(ProxyError::TooShort)?;
                let [a, b, c, d, _, _, _, _, high, low, _, _] = *block;
                let port = u16::from_be_bytes([high, low]);
                Ok(Some((Ipv4Addr::new(a, b, c, d), port).into()))
            }
            Addresses::V6 => {
                let block: &[u8; 36] = rest.first_chunk().ok_or(ProxyError::TooShort)?;
                let [source @ .., high, low, _, _] = block;
                let source: &[u8; 16] = source.first_chunk().ok_or(ProxyError::TooShort)?;
                let port = u16::from_be_bytes([*high, *low]);
                Ok(Some((Ipv6Addr::from(*source), port).into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn header(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short");
        [&SIGNATURE[..], &[command, family], &length.to_be_bytes(), rest].concat()
    }

    const V4: &[u8] = &[203, 0, 113, 7, 10, 0, 0, 1, 0x12, 0x67, 0, 80];

    fn v6() -> Vec<u8> {
        let source: Ipv6Addr = "2001:db8::7".parse().expect("an address");
        let to: Ipv6Addr = "2001:db8::1".parse().expect("an address");
        [&source.octets()[..], &to.octets(), &4711_u16.to_be_bytes(), &[0, 80]].concat()
    }

    /// What it says, and what is left in the stream.
    async fn read(mut bytes: &[u8]) -> (Result<Option<String>, String>, Vec<u8>) {
        let read = read_header(&mut bytes).await;
        let read = read.map(|address| address.map(|address| address.to_string()));
        (read.map_err(|error| error.to_string()), bytes.to_vec())
    }

    #[tokio::test]
    async fn addresses_are_read_and_what_follows_is_not() {
        let tlv = [V4, &[0x04, 0, 3, 1, 2, 3]].concat();
        let longest = [V4, &[0; BYTES_MAX - HEAD_BYTES - 12]].concat();
        for (header, expected) in [
            (header(0x21, 0x11, V4), Some("203.0.113.7:4711")),
            (header(0x21, 0x11, &tlv), Some("203.0.113.7:4711")),
            (header(0x21, 0x11, &longest), Some("203.0.113.7:4711")),
            (header(0x21, 0x21, &v6()), Some("[2001:db8::7]:4711")),
            (header(0x21, 0x00, &[]), None),
            (header(0x21, 0x31, &[0; 216]), None),
            (header(0x21, 0x12, V4), None),
            (header(0x20, 0x00, &[]), None),
            (header(0x20, 0x11, V4), None),
            (header(0x20, 0x99, &[1]), None),
            (LOCAL.to_vec(), None),
        ] {
            let stream = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            let (said, left) = read(&stream).await;
            assert_eq!(said, Ok(expected.map(str::to_owned)), "{header:02x?}");
            assert_eq!(left, b"GET / HTTP/1.1\r\n");
        }
    }

    #[tokio::test]
    async fn all_else_is_refused() {
        let mut version_3 = header(0x21, 0x11, V4);
        version_3[12] = 0x31;
        let mut flipped = header(0x21, 0x11, V4);
        flipped[11] = b'\r';
        let too_long = header(0x21, 0x11, &[0; BYTES_MAX - HEAD_BYTES + 1]);
        for (bytes, expected) in [
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), "not the PROXY protocol"),
            (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(), "not the PROXY protocol"),
            (flipped, "not the PROXY protocol"),
            (version_3, "unknown command"),
            (header(0x22, 0x11, V4), "unknown command"),
            (header(0x21, 0x13, V4), "unknown command"),
            (header(0x21, 0x41, V4), "unknown command"),
            (header(0x21, 0x11, &V4[..11]), "too short"),
            (header(0x21, 0x21, &v6()[..35]), "too short"),
            (too_long, "longer than 536 bytes"),
            (header(0x21, 0x11, V4)[..20].to_vec(), "eof"),
            (Vec::new(), "eof"),
        ] {
            let (said, _) = read(&bytes).await;
            let error = said.expect_err("refused");
            assert!(error.contains(expected), "{bytes:02x?}: {error}");
        }
    }

    /// Bytes that begin like a header more often than chance would have it.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let rest = prop::collection::vec(any::<u8>(), 0..600);
        (
            any::<bool>(),
            prop::sample::select(vec![0x20, 0x21]),
            prop::sample::select(vec![0, 0x11, 0x21]),
            rest,
        )
            .prop_map(|(is_header, command, family, rest)| match is_header {
                true => [&SIGNATURE[..], &[command, family], &rest].concat(),
                false => rest,
            })
    }

    proptest! {
        /// No panic, and the same however the bytes are cut into segments.
        #[test]
        fn any_bytes_in_any_pieces(bytes in bytes(), cuts in prop::collection::vec(0_usize..600, 0..8)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let (whole, _) = read(&bytes).await;
                let (mut near, mut far) = tokio::io::duplex(64);
                let writing = async {
                    let mut cuts: Vec<usize> = cuts.iter().map(|cut| (*cut).min(bytes.len())).collect();
                    cuts.sort_unstable();
                    let mut from = 0;
                    for cut in cuts.into_iter().chain([bytes.len()]) {
                        if far.write_all(&bytes[from..cut]).await.is_err() {
                            return;
                        }
                        tokio::task::yield_now().await;
                        from = cut;
                    }
                    drop(far);
                };
                let reading = async {
                    let read = read_header(&mut near).await;
                    drop(near);
                    let read = read.map(|address| address.map(|address| address.to_string()));
                    read.map_err(|error| error.to_string())
                };
                let (pieces, ()) = tokio::join!(reading, writing);
                assert_eq!(pieces, whole);
            });
        }
    }
}
