-- The replicas have all up to a version: from now on it may be seen.
-- KEYS  1 meta
-- ARGV  1 epoch  2 version  3 channel  4 doorbell
-- Returns 1, or 0 when somebody else said so before.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'confirmed')
if meta[1] ~= ARGV[1] or (meta[2] and tonumber(ARGV[2]) <= tonumber(meta[2])) then
  return 0
end
redis.call('HSET', KEYS[1], 'confirmed', ARGV[2])
redis.call('SPUBLISH', ARGV[3], ARGV[4])
return 1
