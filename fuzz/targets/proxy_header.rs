//! The PROXY protocol, version 2: a header is read whole, nothing behind it is,
//! and the address is the one that stands in it.

#![no_main]

use std::net::{IpAddr, SocketAddr};

use cardroom::server::proxy_protocol::read_header;
use tokio::runtime::{Builder, Runtime};

cardroom_fuzz::target!(run);

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime");
}

fn run(input: &[u8]) {
    // Half of the inputs begin as a header does: the first byte says so.
    let Some((choice, rest)) = input.split_first() else { return };
    let stream = if choice & 1 == 0 { rest.to_vec() } else { [SIGNATURE, rest].concat() };
    let mut left = stream.as_slice();
    let read = RUNTIME.with(|runtime| runtime.block_on(read_header(&mut left)));
    let Ok(address) = read else { return };
    assert!(stream.starts_with(SIGNATURE));
    let length = usize::from(u16::from_be_bytes([stream[14], stream[15]]));
    assert_eq!(left, &stream[16 + length..], "nothing behind it is read");
    let block = &stream[16..16 + length];
    let expected = match (stream[12], stream[13]) {
        (0x21, 0x11) => Some((block[..4].to_vec(), [block[8], block[9]])),
        (0x21, 0x21) => Some((block[..16].to_vec(), [block[32], block[33]])),
        _ => None,
    };
    let expected = expected.map(|(ip, port)| {
        let ip = match <[u8; 4]>::try_from(ip.as_slice()) {
            Ok(v4) => IpAddr::from(v4),
            Err(_) => IpAddr::from(<[u8; 16]>::try_from(ip.as_slice()).expect("16 bytes")),
        };
        SocketAddr::new(ip, u16::from_be_bytes(port))
    });
    assert_eq!(address, expected);
}
