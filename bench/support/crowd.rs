//! A room and the outboxes of its members.

use std::sync::Arc;

use cardroom::hub::{Hub, Membership, Outbox, OutboxLimits, Room};
use cardroom::protocol::SocketId;

pub(crate) struct Crowd {
    pub(crate) room: Arc<Room>,
    outboxes: Vec<Arc<Outbox>>,
    _memberships: Vec<Membership>,
}

impl Crowd {
    pub(crate) fn of(members: u32) -> Self {
        let room = Hub::new().room("session:1");
        let outbox = |_| Arc::new(Outbox::new(OutboxLimits::default()));
        let outboxes: Vec<_> = (0..members).map(outbox).collect();
        let join = |(number, outbox): (u32, &Arc<Outbox>)| {
            let mut random = [0; 15];
            random[..4].copy_from_slice(&number.to_be_bytes());
            room.join(SocketId::from_random(random), Arc::clone(outbox))
        };
        let memberships = (0..members).zip(&outboxes).map(join).collect();
        Self { room, outboxes, _memberships: memberships }
    }

    /// Each connection takes what waits for it.
    pub(crate) fn drain(&self) {
        for outbox in &self.outboxes {
            drop(outbox.take_all());
        }
    }
}
