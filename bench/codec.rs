//! Engine.IO and Socket.IO: packets in, packets out.

mod support;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

use cardroom::protocol::Encoded;
use cardroom::protocol::engineio::{
    Engine, Input, PacketType, Payload, PayloadPacket, Timing, TransportName, split_packet,
};
use cardroom::protocol::socketio::{Client, Limits, Received};

use support::frames;

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    for (name, frame) in [
        ("vote", frames::VOTE.to_owned()),
        ("story:create", frames::story()),
        ("story:import", frames::import()),
    ] {
        let mut client = client();
        group.bench_function(format!("Engine.IO and Socket.IO, {name}"), |b| {
            b.iter_batched_ref(
                || frame.clone().into_bytes(),
                |frame| is_event(&mut client, black_box(frame)),
                BatchSize::SmallInput,
            );
        });
    }
    let payload = [frames::VOTE; 16].join("\x1e");
    let mut client = client();
    group.bench_function("polling payload of 16 votes", |b| {
        b.iter_batched(
            || Payload::new(payload.as_bytes().into()),
            |mut payload| {
                let mut events = 0;
                while let Some(PayloadPacket::Text(packet)) = payload.next_packet() {
                    events += usize::from(is_event(&mut client, packet));
                }
                assert_eq!(events, 16);
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn is_event(client: &mut Client<u32>, frame: &mut [u8]) -> bool {
    let Some((PacketType::Message, message)) = split_packet(frame) else { return false };
    matches!(client.text(Duration::ZERO, message), Ok(Received::Event(..)))
}

fn client() -> Client<u32> {
    let connect_timeout = Duration::from_secs(45);
    let limits = Limits { attachments_max: 2, namespaces_max: 2, connect_timeout };
    let mut client = Client::new(Duration::ZERO, limits);
    client.join("/", 1);
    client
}

fn encode(c: &mut Criterion) {
    let mut group = c.benchmark_group("encode");
    let argument = serde_json::json!({ "ok": true, "seq": 12 });
    group.bench_function("acknowledgement", |b| {
        b.iter(|| Encoded::ack_with("/", 7, black_box(&argument)));
    });
    let text = "x".repeat(200);
    group.bench_function("event of 200 bytes", |b| {
        b.iter(|| Encoded::event_with("/", "vote:submitted", black_box(&text)));
    });
    let text = "x".repeat(20_000);
    group.bench_function("event of 20,000 bytes", |b| {
        b.iter(|| Encoded::event_with("/", "session:joined", black_box(&text)));
    });
    let message = Encoded::event_with("/", "vote:submitted", &"x".repeat(200)).expect("JSON");
    group.bench_function("polling payload of 16 events", |b| {
        b.iter(|| {
            let mut payload = Vec::new();
            for _ in 0..16 {
                message.put_polling(&mut payload);
            }
            payload
        });
    });
    group.finish();
}

/// A pong comes, the deadline of the next ping follows.
fn heartbeat(c: &mut Criterion) {
    let timing = Timing {
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(20),
        upgrade_timeout: Duration::from_secs(10),
        close_timeout: Duration::from_secs(30),
    };
    let mut engine = Engine::open(Duration::ZERO, TransportName::WebSocket, timing);
    let mut now = Duration::ZERO;
    c.bench_function("heartbeat", |b| {
        b.iter(|| {
            now = engine.deadline().unwrap_or(now);
            engine.handle(now, Input::Timeout);
            while engine.poll().is_some() {}
            engine.handle(now, Input::Packet(PacketType::Pong));
            engine.deadline()
        });
    });
}

criterion_group! {
    name = benches;
    config = support::criterion();
    targets = decode, encode, heartbeat
}
criterion_main!(benches);
