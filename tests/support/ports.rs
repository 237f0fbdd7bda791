//! Ports for programs that must be told one, and must have it again when they
//! were killed and are started anew.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below it live services of the machine.
const LOWEST: u16 = 10_000;
/// Where Linux begins, unless it is told otherwise.
const USUAL_FIRST_EPHEMERAL: u16 = 32_768;
/// So many are left between the ports that two processes begin with.
const STRIDE: u32 = 64;

/// One that nobody listens on, and that the kernel gives to nobody: those that
/// it draws for connections and for port 0 lie elsewhere. Otherwise another
/// test could have it before the program does.
pub(crate) fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let span = first_ephemeral().saturating_sub(LOWEST).max(1);
    for _ in 0..span {
        let number = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed));
        let offset = (std::process::id().wrapping_mul(STRIDE) + number) % u32::from(span);
        let port = LOWEST + offset as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    any.local_addr().expect("an address").port()
}

fn first_ephemeral() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|range| range.split_whitespace().next()?.parse().ok());
    first.unwrap_or(USUAL_FIRST_EPHEMERAL)
}
