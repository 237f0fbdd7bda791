-- Moves the snapshot forward, never back, and trims what it covers: entries
-- that are both further back and older than the replay window.
-- KEYS  1 meta  2 log  3 snapshot
-- ARGV  1 epoch  2 version  3 nonce  4 snapshot  5 entries kept  6 ms kept
--       7 entries trimmed, at the most
-- Returns 1, or 0 when there is a newer one or this is of another history.
local meta = redis.call('HMGET', KEYS[1], 'epoch', 'version', 'snapshot')
if meta[1] ~= ARGV[1] or tonumber(ARGV[2]) <= tonumber(meta[3]) then
  return 0
end
local id = ARGV[2] .. '-' .. ARGV[3]
if #redis.call('XRANGE', KEYS[2], id, id) ~= 1 then
  return 0
end
redis.call('SET', KEYS[3], ARGV[4], 'KEEPTTL')
redis.call('HSET', KEYS[1], 'snapshot', ARGV[2])

local time = redis.call('TIME')
local old = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[6])
local last = math.min(tonumber(meta[2]) - tonumber(ARGV[5]), tonumber(ARGV[2])) - 1
if last < 1 then
  return 1
end
-- Most often nothing is old enough: then one entry is read, not all.
local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
if not oldest or old <= tonumber(oldest[2][4]) then
  return 1
end
local first_kept = false
local entries = redis.call('XRANGE', KEYS[2], '-', string.format('%.0f', last), 'COUNT', ARGV[7])
for _, entry in ipairs(entries) do
  if old <= tonumber(entry[2][4]) then
    first_kept = entry[1]
    break
  end
end
if not first_kept and #entries > 0 then
  local version = tonumber(string.match(entries[#entries][1], '^(%d+)'))
  first_kept = string.format('%.0f', version + 1)
end
if first_kept then
  redis.call('XTRIM', KEYS[2], 'MINID', '=', first_kept)
end
return 1
