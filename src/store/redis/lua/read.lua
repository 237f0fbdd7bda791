-- KEYS  1 meta  2 log
-- ARGV  1 epoch  2 version  3 nonce  4 entries in a reply, at the most
-- Returns {'missed', entries}, {'unreachable'} or {'gone'}.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  return {'gone'}
end
if epoch ~= ARGV[1] then
  return {'unreachable'}
end
return missing(KEYS[2], ARGV[2] .. '-' .. ARGV[3], tonumber(ARGV[4]))
