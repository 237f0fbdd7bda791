-- Appends entries behind exactly the expected position, all or none.
-- KEYS  1 meta  2 log  3 snapshot  4 tombstone
-- ARGV  1 epoch  2 version  3 nonce (expected)  4 version  5 nonce (new)
--       6 kept until  7 tombstone  8 tombstone until  9 join code until, if it
--       is to be prolonged  10 entries in a reply, at the most  11 channel
--       12 doorbell  13.. id, entry
-- Returns {'accepted', snapshot's version, join code to prolong or false},
-- {'missed', entries}, {'unreachable'} or {'gone'}.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'nonce', 'snapshot', 'code', 'code_until')
if not meta[1] then
  return {'gone'}
end
if meta[1] ~= ARGV[1] then
  return {'unreachable'}
end
if meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then
  return missing(KEYS[2], ARGV[2] .. '-' .. ARGV[3], tonumber(ARGV[10]))
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 13, #ARGV, 2 do
  redis.call('XADD', KEYS[2], ARGV[i], 'e', ARGV[i + 1], 't', now)
end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'nonce', ARGV[5])
local code = false
if tonumber(meta[6]) < tonumber(ARGV[8]) then
  redis.call('HSET', KEYS[1], 'code_until', ARGV[9])
  code = meta[5]
end
for i = 1, 3 do
  redis.call('PEXPIREAT', KEYS[i], ARGV[6])
end
redis.call('SET', KEYS[4], ARGV[7], 'PXAT', ARGV[8])
redis.call('SPUBLISH', ARGV[11], ARGV[12])
return {'accepted', meta[4], code}
