-- KEYS  1 meta  2 log
-- ARGV  1 epoch  2 version  3 nonce  4 entries in a reply, at the most
-- Returns {'missed', entries, confirmed or false}, {'unreachable'} or
-- {'gone'}.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'confirmed')
if not meta[1] then
  return {'gone'}
end
if meta[1] ~= ARGV[1] then
  return {'unreachable'}
end
return missing(KEYS[2], ARGV[2] .. '-' .. ARGV[3], tonumber(ARGV[4]), meta[2])
