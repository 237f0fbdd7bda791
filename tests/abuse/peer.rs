//! A client on either transport that speaks and listens in turns.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpStream;

use super::net::{POLLING, WEBSOCKET, WebSocket, connect, fetch, sid_of};

pub(crate) enum Peer {
    WebSocket(WebSocket),
    Polling { stream: TcpStream, target: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    WebSocket,
    Polling,
}

/// Why there is no connection.
pub(crate) enum NotOpened {
    /// 503.
    TurnedAway,
    Failed,
}

impl From<String> for NotOpened {
    fn from(error: String) -> Self {
        if error.contains(" 503 ") { Self::TurnedAway } else { Self::Failed }
    }
}

impl Peer {
    pub(crate) async fn open(
        server: SocketAddr,
        source: Ipv4Addr,
        transport: Transport,
    ) -> Result<Self, NotOpened> {
        let mut stream = connect(server, Some(source), None).await?;
        match transport {
            Transport::WebSocket => {
                let mut socket = WebSocket::upgrade(stream, WEBSOCKET).await?;
                socket.hear().await?;
                Ok(Self::WebSocket(socket))
            }
            Transport::Polling => {
                let open = fetch(&mut stream, "GET", POLLING, b"").await?;
                if open.status == 503 {
                    return Err(NotOpened::TurnedAway);
                }
                let target = format!("{POLLING}&sid={}", sid_of(&open.body)?);
                Ok(Self::Polling { stream, target })
            }
        }
    }

    pub(crate) async fn say(&mut self, packets: &[String]) -> Result<(), String> {
        match self {
            Self::WebSocket(socket) => {
                for packet in packets {
                    socket.say(packet).await?;
                }
                Ok(())
            }
            Self::Polling { stream, target } => {
                for packets in packets.chunks(POST_PACKETS_MAX) {
                    let body = packets.join("\x1e");
                    let answer = fetch(stream, "POST", target, body.as_bytes()).await?;
                    if answer.status != 200 {
                        return Err("closed by the server".to_owned());
                    }
                }
                Ok(())
            }
        }
    }

    /// What comes next: a packet, or the packets of a poll. Heartbeats are
    /// answered. Cancel-safe over WebSocket.
    pub(crate) async fn hear(&mut self) -> Result<Vec<String>, String> {
        let heard = self.hear_any().await?;
        match heard.iter().any(|packet| packet == DISCONNECT) {
            true => Err("closed by the server".to_owned()),
            false => Ok(heard),
        }
    }

    async fn hear_any(&mut self) -> Result<Vec<String>, String> {
        match self {
            Self::WebSocket(socket) => Ok(vec![socket.hear().await?]),
            Self::Polling { stream, target } => {
                let answer = fetch(stream, "GET", target, b"").await?;
                let packets: Vec<_> = answer.body.split('\x1e').map(str::to_owned).collect();
                let is_over = packets.iter().any(|packet| packet == "1");
                if answer.status != 200 || is_over {
                    return Err("closed by the server".to_owned());
                }
                if packets.iter().any(|packet| packet == "2") {
                    fetch(stream, "POST", target, b"3").await?;
                }
                Ok(packets)
            }
        }
    }

    /// As a client goes that closes its page.
    pub(crate) async fn leave(mut self) {
        if let Self::Polling { .. } = &self {
            let _ = self.say(&["1".to_owned()]).await;
        }
    }
}

/// Out of the namespace: whoever speaks in it all the same makes a mistake.
const DISCONNECT: &str = "41";
/// The server's own limit.
const POST_PACKETS_MAX: usize = 64;
