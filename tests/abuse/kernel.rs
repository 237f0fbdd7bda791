//! What the kernel holds for each client of a server, as Linux tells it in
//! `/proc/net/tcp`: nobody has to read, or to be asked, to be seen.

use std::collections::HashMap;
use std::net::SocketAddr;

/// By the client's port: the connections that the server still has.
#[derive(Debug, Default)]
pub(crate) struct Sockets(HashMap<u16, u64>);

const ESTABLISHED: &str = "01";

impl Sockets {
    /// Of clients on this machine.
    pub(crate) fn of(server: SocketAddr) -> Result<Self, String> {
        let table = std::fs::read_to_string("/proc/net/tcp").map_err(|error| error.to_string())?;
        let rows: Vec<Row> = table.lines().skip(1).filter_map(Row::read).collect();
        let at_server = rows.iter().filter(|row| row.local == server.port());
        let mut sockets: HashMap<u16, u64> = at_server
            .filter(|row| row.is_established)
            .map(|row| (row.remote, row.unacknowledged))
            .collect();
        for row in rows.iter().filter(|row| row.remote == server.port()) {
            if let Some(bytes) = sockets.get_mut(&row.local) {
                *bytes += row.unread;
            }
        }
        Ok(Self(sockets))
    }

    /// What the server has said and the client has not read, in bytes; `None`
    /// once the server has let go of the connection.
    pub(crate) fn unread_bytes(&self, port: u16) -> Option<u64> {
        self.0.get(&port).copied()
    }
}

struct Row {
    local: u16,
    remote: u16,
    is_established: bool,
    /// In the send buffer.
    unacknowledged: u64,
    /// In the receive buffer.
    unread: u64,
}

impl Row {
    /// `sl  local_address rem_address   st tx_queue:rx_queue …`, in hex.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let mut port = || {
            let (_, port) = fields.next()?.split_once(':')?;
            u16::from_str_radix(port, 16).ok()
        };
        let (local, remote) = (port()?, port()?);
        let is_established = fields.next()? == ESTABLISHED;
        let (sent, received) = fields.next()?.split_once(':')?;
        let bytes = |hex| u64::from_str_radix(hex, 16).ok();
        let (unacknowledged, unread) = (bytes(sent)?, bytes(received)?);
        Some(Self { local, remote, is_established, unacknowledged, unread })
    }
}
