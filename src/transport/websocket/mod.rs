//! WebSocket, RFC 6455, server side, without extensions. The only module that
//! knows fastwebsockets.
//!
//! ```text
//!  request ── handshake ──▶ 101, then Reader + Writer over one TCP stream
//!
//!  TCP ──▶ guard ──▶ fastwebsockets ──▶ reader ──▶ Incoming       Bytes ──▶ writer ──▶ TCP
//!            │ heads only, no payload     │ fragments                (framed elsewhere)
//!            └ rules: Violation ──────────┴─▶ ReadEnd ──▶ close: code, FIN, drain
//! ```
//!
//! fastwebsockets parses frames and unmasks them in place, which it does well.
//! It does not notice unmasked frames, oversized control frames, misplaced
//! fragments or a limit in sum, and it never sends the close code that a
//! violation calls for. So every byte passes the [`rules`] first: what they
//! refuse, fastwebsockets never sees.
//!
//! Nothing here answers by itself: a ping, a close and a violation are handed
//! to the owner of the connection, who has the one queue of outgoing bytes.

pub mod handshake;
pub mod reader;
pub mod writer;

pub mod close;
pub mod rules;
pub mod violation;

mod guard;
mod utf8;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;

pub use close::{CloseCode, CloseLimits};
pub use handshake::{HandshakeError, Pending};
pub use reader::{Incoming, ReadEnd, Reader};
pub use rules::ReadLimits;
pub use violation::Violation;
pub use writer::{WriteEnd, Writer};
