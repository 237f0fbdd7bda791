-- Writes how a socket comes back, unless it was claimed since.
-- KEYS  1 recovery
-- ARGV  1 claims  2 owner  3 record  4 window in ms
-- Returns 1, or 0 when it was.
local claims = redis.call('HGET', KEYS[1], 'claims')
if claims and tonumber(ARGV[1]) < tonumber(claims) then
  return 0
end
redis.call('HSET', KEYS[1], 'claims', ARGV[1], 'owner', ARGV[2], 'record', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
