-- Begins a session; the opening is entry 1 of its log.
-- KEYS  1 meta  2 log  3 snapshot  4 tombstone
-- ARGV  1 epoch  2 nonce  3 entry  4 snapshot  5 kept until  6 tombstone
--       7 tombstone until  8 join code  9 join code until
-- Returns 1, or 0 when the id is taken.
if redis.call('EXISTS', KEYS[1], KEYS[4]) > 0 then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'version', 1, 'nonce', ARGV[2],
  'snapshot', 1, 'code', ARGV[8], 'code_until', ARGV[9])
redis.call('XADD', KEYS[2], '1-' .. ARGV[2], 'e', ARGV[3], 't', now)
redis.call('SET', KEYS[3], ARGV[4])
for i = 1, 3 do
  redis.call('PEXPIREAT', KEYS[i], ARGV[5])
end
redis.call('SET', KEYS[4], ARGV[6], 'PXAT', ARGV[7])
return 1
