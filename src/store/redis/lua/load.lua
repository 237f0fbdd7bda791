-- KEYS  1 meta  2 log  3 snapshot  4 tombstone
-- Returns {'live', epoch, version, nonce, snapshot's version, snapshot,
-- entries behind it, confirmed or false}, or {'gone', tombstone or false}.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'nonce', 'snapshot', 'confirmed')
if not meta[1] then
  return {'gone', redis.call('GET', KEYS[4])}
end
local entries = redis.call('XRANGE', KEYS[2], meta[4] .. '-18446744073709551615', '+')
return {'live', meta[1], meta[2], meta[3], meta[4], redis.call('GET', KEYS[3]), entries, meta[5]}
