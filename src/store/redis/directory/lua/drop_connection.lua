-- Takes back the record of a socket, unless another instance has written it.
-- KEYS  1 connection
-- ARGV  1 instance
local record = redis.call('GET', KEYS[1])
if record and string.find(record, '"instance":"' .. ARGV[1] .. '"', 1, true) then
  return redis.call('DEL', KEYS[1])
end
return 0
