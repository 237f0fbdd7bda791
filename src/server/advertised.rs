//! The address under which the other instances reach this one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::config::Config;
use crate::server::instance::StartError;
use crate::server::relay::is_relaying;

/// As configured, or the address that it listens on. Where that is every
/// address, it is the one of the default route: in a container or a task with
/// a network interface of its own, its own.
pub(super) fn advertised_address(
    config: &Config,
    listens_on: SocketAddr,
) -> Result<String, StartError> {
    let configured = &config.instances.advertised_address;
    if !configured.is_empty() {
        return Ok(configured.clone());
    }
    if !listens_on.ip().is_unspecified() {
        return Ok(listens_on.to_string());
    }
    match own_address(listens_on.ip()) {
        Some(ip) => Ok(SocketAddr::new(ip, listens_on.port()).to_string()),
        // Nobody will ask.
        None if !is_relaying(config) => Ok(String::new()),
        None => Err(StartError::NoAddress),
    }
}

/// The source address towards the world. Connecting a UDP socket asks the
/// routing table and sends nothing.
fn own_address(listens_on: IpAddr) -> Option<IpAddr> {
    let towards: SocketAddr = match listens_on {
        // Addresses for documentation: RFC 5737, RFC 3849.
        IpAddr::V4(_) => (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
        IpAddr::V6(_) => (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
    };
    let socket = UdpSocket::bind((listens_on, 0)).ok()?;
    socket.connect(towards).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advertised(configured: &str, listens_on: &str) -> Result<String, StartError> {
        let mut config = Config::default();
        config.instances.advertised_address = configured.to_owned();
        advertised_address(&config, listens_on.parse().expect("an address"))
    }

    #[test]
    fn what_is_configured_counts_and_else_where_it_listens() {
        assert_eq!(advertised("cards-1:3000", "0.0.0.0:80").ok().as_deref(), Some("cards-1:3000"));
        assert_eq!(advertised("", "10.0.0.7:3000").ok().as_deref(), Some("10.0.0.7:3000"));
        assert_eq!(advertised("", "[fd00::7]:3000").ok().as_deref(), Some("[fd00::7]:3000"));
    }

    #[test]
    fn every_address_is_none_to_tell_the_others() {
        let address = advertised("", "0.0.0.0:3000").expect("no secret, no need");
        assert!(!address.starts_with("0.0.0.0"), "{address}");
    }
}
