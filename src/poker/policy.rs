//! The numbers that the rules use, fixed for a session when it is opened.
//!
//! They are part of the session's state, so that every instance, whatever its
//! own configuration says, decides a command of one session the same way.

/// Durations are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// From the last socket of a seat going away to `player:left`.
    pub disconnect_grace_ms: u64,
    /// The same when the instance drained and its clients move.
    pub drain_grace_ms: u64,
    /// Without an online host, until somebody acts as host.
    pub host_grace_ms: u64,
    /// Without an online facilitator, until everybody may run the round.
    pub facilitator_grace_ms: u64,
    /// How long a seat is kept for somebody who left.
    pub seat_kept_ms: u64,
    /// Changes of presence within this time are announced as one.
    pub online_coalesce_ms: u64,
    /// Changes of `away` within this time are announced as one.
    pub away_coalesce_ms: u64,
    /// Without a join or an accepted mutation, until the session expires.
    pub session_ttl_ms: u64,
    /// `session:expiring` comes this long before the end.
    pub expiry_notice_ms: u64,
    /// After `session:ended`, until the sockets are closed.
    pub ended_linger_ms: u64,
    /// How long after a reset `round:restore` may undo it.
    pub restore_window_ms: u64,
    /// One nudge per target in this time.
    pub nudge_interval_ms: u64,
    /// Upper bound of `settings.maxPlayers`.
    pub players_max: u16,
    /// Seats of people who left that are kept beside those at the table.
    pub kept_seats_max: u16,
    pub stories_max: u16,
    /// Rounds kept as history; the oldest go first.
    pub history_rounds_max: u16,
    /// Removed seats remembered, so that their holders read PLAYER_REMOVED.
    pub removed_seats_max: u16,
}

impl Default for Policy {
    fn default() -> Self {
        const SECOND: u64 = 1_000;
        const MINUTE: u64 = 60 * SECOND;
        Self {
            disconnect_grace_ms: 10 * SECOND,
            drain_grace_ms: 30 * SECOND,
            host_grace_ms: 30 * SECOND,
            facilitator_grace_ms: 30 * SECOND,
            seat_kept_ms: 30 * MINUTE,
            online_coalesce_ms: SECOND,
            away_coalesce_ms: 2 * SECOND,
            session_ttl_ms: 24 * 60 * MINUTE,
            expiry_notice_ms: 10 * MINUTE,
            ended_linger_ms: 10 * MINUTE,
            restore_window_ms: MINUTE,
            nudge_interval_ms: 30 * SECOND,
            players_max: 200,
            kept_seats_max: 200,
            stories_max: 500,
            history_rounds_max: 500,
            removed_seats_max: 1_000,
        }
    }
}
