//! A TCP proxy that can be told to be slow, to cut, or to be half open.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::sleep;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Every piece waits, in both directions.
    Delay(Duration),
    /// What is sent to the target arrives; what it answers waits until the
    /// mode ends.
    HalfOpen,
    /// Nothing arrives in either direction until the mode ends.
    Stalled,
    /// New connections are closed at once.
    Refuse,
}

#[derive(Clone, Copy)]
struct State {
    mode: Mode,
    /// Connections of an earlier cut end.
    cuts: u64,
}

pub(crate) struct FaultProxy {
    pub(crate) port: u16,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToTarget,
    FromTarget,
}

const PIECE_BYTES: usize = 16 * 1024;

impl FaultProxy {
    pub(crate) async fn start(target: u16) -> Result<Self, String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(|error| format!("a proxy: {error}"))?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let (state, watched) = watch::channel(State { mode: Mode::Pass, cuts: 0 });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, target, watched.clone()));
            }
        });
        Ok(Self { port, state })
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// All connections that are open now end.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| state.cuts += 1);
    }
}

async fn serve(client: TcpStream, target: u16, mut state: watch::Receiver<State>) {
    let now = *state.borrow_and_update();
    if now.mode == Mode::Refuse {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(from_client, to_server, Direction::ToTarget, state.clone());
    let down = pump(from_server, to_client, Direction::FromTarget, state.clone());
    let is_cut = state.wait_for(|state| state.cuts != now.cuts);
    // Dropping the halves closes both sides.
    tokio::select! {
        _ = up => {}
        _ = down => {}
        _ = is_cut => {}
    }
}

async fn pump(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    direction: Direction,
    mut state: watch::Receiver<State>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        let mode = state.borrow_and_update().mode;
        if let Mode::Delay(delay) = mode {
            sleep(delay).await;
        }
        let passes = |mode: Mode| match mode {
            Mode::HalfOpen => direction == Direction::ToTarget,
            Mode::Stalled => false,
            Mode::Pass | Mode::Delay(_) | Mode::Refuse => true,
        };
        let _ = state.wait_for(|state| passes(state.mode)).await;
        to.write_all(piece.get(..read).unwrap_or_default()).await?;
    }
}
