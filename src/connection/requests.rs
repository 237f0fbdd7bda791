//! What the HTTP side asks of a connection's task, and how it is answered.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use http::HeaderMap;
use tokio::sync::oneshot;

use crate::connection::handle::Connection;
use crate::connection::link::Link;

/// How a GET is answered. If the task is gone before it answers, the `sid` is unknown.
#[derive(Debug, PartialEq, Eq)]
pub enum PollReply {
    /// 200 with this payload.
    Payload(Vec<u8>),
    /// 400 without a body.
    Refused,
    /// 400 code 3: the connection is no longer on polling.
    Mismatch,
}

/// How a POST is answered.
#[derive(Debug, PartialEq, Eq)]
pub enum PostReply {
    /// 200 `ok`.
    Done,
    /// 400 without a body.
    Refused,
    /// Not at all: the HTTP connection breaks off.
    Reset,
}

/// A POST whose head has arrived. The reply may come before the body does;
/// dropping this before [`Post::body`] or [`Post::give_up`] says that the
/// peer went away.
#[derive(Debug)]
pub struct Post {
    connection: Arc<Connection>,
    pub reply: oneshot::Receiver<PostReply>,
    is_settled: bool,
}

impl Post {
    pub(super) fn new(connection: Arc<Connection>, reply: oneshot::Receiver<PostReply>) -> Self {
        Self { connection, reply, is_settled: false }
    }

    /// The whole body, UTF-8, with the headers of its request.
    pub fn body(&mut self, payload: BytesMut, headers: HeaderMap) {
        self.settle(Request::PostBody { payload, headers: Box::new(headers) });
    }

    /// There will be no body, and the connection may live on (413).
    pub fn give_up(&mut self) {
        self.settle(Request::PostGivenUp);
    }

    /// The body cannot be a payload: the connection is over.
    pub fn malformed(&mut self) {
        self.settle(Request::PostMalformed);
    }

    fn settle(&mut self, request: Request) {
        self.is_settled = true;
        let _ = self.connection.request(request);
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        if !self.is_settled {
            let _ = self.connection.request(Request::PostAborted);
        }
    }
}

pub(super) enum Request {
    Poll(oneshot::Sender<PollReply>),
    Post(oneshot::Sender<PostReply>),
    PostBody { payload: BytesMut, headers: Box<HeaderMap> },
    PostGivenUp,
    PostMalformed,
    PostAborted,
    Upgrade(Box<dyn Link>),
}

/// Requests that wait for the task. More than this many at a time is no
/// client that keeps to the protocol.
pub(super) const REQUESTS_MAX: usize = 16;

pub(super) type Requests = VecDeque<Request>;
