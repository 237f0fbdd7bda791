-- Writes a little where an entry is, so that a WAIT on the same connection
-- waits for the entry too.
-- KEYS  1 meta  2 log
-- ARGV  1 epoch  2 version  3 nonce
-- Returns 'touched', 'confirmed' when the replicas are known to have it, or
-- 'lost' when it is not there.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'confirmed')
if meta[1] ~= ARGV[1] then
  return 'lost'
end
local id = ARGV[2] .. '-' .. ARGV[3]
if #redis.call('XRANGE', KEYS[2], id, id) ~= 1 then
  return 'lost'
end
if meta[2] and tonumber(ARGV[2]) <= tonumber(meta[2]) then
  return 'confirmed'
end
redis.call('HSET', KEYS[1], 'touched', ARGV[2])
return 'touched'
