-- The socket has a new owner.
-- KEYS  1 recovery
-- ARGV  1 owner
-- Returns {claims, owner, record} as they were, or false.
local found = redis.call('HMGET', KEYS[1], 'claims', 'owner', 'record')
if not found[1] then
  return false
end
redis.call('HINCRBY', KEYS[1], 'claims', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[1])
return found
