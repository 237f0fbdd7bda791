//! cardroom: a realtime planning-poker server for unmodified Socket.IO clients.
//!
//! The modules below stand in the order of their layers; a module names only
//! modules of lower layers (`tests/layers.rs` enforces it). ARCHITECTURE.md
//! follows one vote through all of them.

// Layer 6..4: what listens.
#[cfg(feature = "server")]
pub mod http;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod transport;

// Layer 3: the poker application.
#[cfg(feature = "server")]
pub mod table;

// Layer 2: one task per Engine.IO connection.
#[cfg(feature = "server")]
pub mod connection;

// What is counted, by all above.
#[cfg(feature = "server")]
pub mod metrics;

// Layer 1.
pub mod api;
#[cfg(feature = "server")]
pub mod hub;
pub mod identity;
pub mod store;

// Layer 0: pure.
pub mod poker;
pub mod protocol;

// Time, and how often in it; for the layers above.
#[cfg(feature = "server")]
pub mod alarm;
pub mod clock;
pub mod limits;

// Defects on request, for judging the judge; none without their feature.
pub mod planted;

// Leaves, used by the top only.
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod shutdown;
#[cfg(feature = "server")]
pub mod telemetry;
