-- Puts a session back that was lost.
-- KEYS  1 meta  2 log  3 snapshot  4 tombstone
-- ARGV  1 epoch  2 version  3 nonce  4 snapshot (at that version)
--       5 kept until  6 tombstone  7 tombstone until  8 join code  9 join code
--       until  10 ms of the barrier  11 channel  12 news  13.. id, entry: the
--       last ones of the log, up to the version
-- Returns 'restored'; 'kept' when what is there is not older, is of another
-- epoch, or has been continued; or 'over' when the session's time is over.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if tonumber(ARGV[5]) <= now then
  return 'over'
end
local barrier = now + tonumber(ARGV[10])
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'restoring_until')
if meta[1] then
  if meta[1] ~= ARGV[1] or tonumber(ARGV[2]) <= tonumber(meta[2]) then
    return 'kept'
  end
  -- Whoever has more may say so until the barrier falls, which nobody moves.
  if not meta[3] or tonumber(meta[3]) <= now then
    return 'kept'
  end
  barrier = tonumber(meta[3])
elseif redis.call('EXISTS', KEYS[4]) == 1 then
  return 'over'
end
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'version', ARGV[2], 'nonce', ARGV[3],
  'snapshot', ARGV[2], 'code', ARGV[8], 'code_until', ARGV[9],
  'restoring_until', string.format('%.0f', barrier))
for i = 13, #ARGV, 2 do
  redis.call('XADD', KEYS[2], ARGV[i], 'e', ARGV[i + 1], 't', now)
end
redis.call('SET', KEYS[3], ARGV[4])
for i = 1, 3 do
  redis.call('PEXPIREAT', KEYS[i], ARGV[5])
end
redis.call('SET', KEYS[4], ARGV[6], 'PXAT', ARGV[7])
redis.call('SPUBLISH', ARGV[11], ARGV[12])
return 'restored'
