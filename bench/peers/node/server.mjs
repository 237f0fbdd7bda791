// Planning poker as one would write it on socket.io: every vote is validated,
// limited, stored and counted in Redis by one script, broadcast to its room
// through the Redis adapter, and acknowledged. No other events, no hidden
// deck of rules: as much work as bench/load asks of every server, and no more.

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';

import { createAdapter } from '@socket.io/redis-adapter';
import { createClient } from 'redis';
import { Server } from 'socket.io';

const { PORT = '3901', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env;

const CARDS = new Set(['0', '1', '2', '3', '5', '8', '13', '21', '34', '55', '89', '?', '☕', '∞']);
const VOTES_PER_MINUTE = 100_000;
const SESSION_SECONDS = 3_600;

const redis = createClient({ url: REDIS_URL });
const subscriber = redis.duplicate();
await Promise.all([redis.connect(), subscriber.connect()]);

// KEYS: votes, sequence, rate window. ARGV: player, value, limit, ttl.
// Returns the sequence number and the count of votes, or nothing when limited.
const VOTE = await redis.scriptLoad(`
  if redis.call('INCR', KEYS[3]) == 1 then redis.call('EXPIRE', KEYS[3], 60) end
  if tonumber(redis.call('GET', KEYS[3])) > tonumber(ARGV[3]) then return {} end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  return { redis.call('INCR', KEYS[2]), redis.call('HLEN', KEYS[1]) }`);

const http = createServer();
const io = new Server(http, { adapter: createAdapter(redis, subscriber), serveClient: false });

/** Who sits where: the room's players, as each instance knows them. */
const rooms = new Map();

io.on('connection', (socket) => {
  const { sessionId, playerName, playerId = randomUUID() } = socket.handshake.auth;
  if (typeof sessionId !== 'string' || typeof playerName !== 'string') {
    socket.disconnect(true);
    return;
  }
  const room = `session:${sessionId}`;
  const players = rooms.get(room) ?? rooms.set(room, new Set()).get(room);
  players.add(playerId);
  socket.join(room);
  socket.emit('session:joined', { sessionId, player: { id: playerId, name: playerName } });
  socket.on('disconnect', () => {
    players.delete(playerId);
    if (players.size === 0) rooms.delete(room);
  });

  socket.on('vote:submit', async (vote, acknowledge) => {
    if (typeof vote?.storyId !== 'string' || !CARDS.has(vote.value)) {
      acknowledge?.({ ok: false, error: { code: 'BAD_REQUEST' } });
      return;
    }
    const [seq, voteCount] = await redis.evalSha(VOTE, {
      keys: [`{${sessionId}}:votes`, `{${sessionId}}:seq`, `{${sessionId}}:rate:${playerId}`],
      arguments: [playerId, vote.value, String(VOTES_PER_MINUTE), String(SESSION_SECONDS)],
    });
    if (seq === undefined) {
      acknowledge?.({ ok: false, error: { code: 'RATE_LIMITED' } });
      return;
    }
    io.to(room).emit('vote:submitted', {
      playerId,
      hasVoted: true,
      voteCount,
      eligibleCount: players.size,
      totalPlayers: players.size,
      storyId: vote.storyId,
      roundId: 1,
      seq,
      serverTime: Date.now(),
    });
    acknowledge?.({ ok: true, seq, storyId: vote.storyId, roundId: 1, value: vote.value });
  });

  socket.on('cards:reveal', async (_, acknowledge) => {
    const [votes, seq] = await redis
      .multi()
      .hGetAll(`{${sessionId}}:votes`)
      .incr(`{${sessionId}}:seq`)
      .exec();
    const shown = Object.entries(votes).map(([player, value]) => ({ playerId: player, value }));
    io.to(room).emit('cards:revealed', { storyId: 's1', roundId: 1, votes: shown, seq });
    acknowledge?.({ ok: true, seq });
  });

  socket.on('game:reset', async (_, acknowledge) => {
    const [, seq] = await redis
      .multi()
      .del(`{${sessionId}}:votes`)
      .incr(`{${sessionId}}:seq`)
      .exec();
    io.to(room).emit('game:reset', { storyId: 's1', roundId: 2, seq });
    acknowledge?.({ ok: true, seq });
  });
});

http.listen(Number(PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
