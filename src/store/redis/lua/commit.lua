-- Appends entries behind exactly the expected position, and counts the
-- attempts that led to them: all or nothing.
-- KEYS  1 meta  2 log  3 snapshot  4 tombstone
-- ARGV  1 epoch  2 version  3 nonce (expected)  4 version  5 nonce (new)
--       6 kept until  7 tombstone  8 tombstone until  9 join code until, if it
--       is to be prolonged  10 entries in a reply, at the most  11 channel
--       12 doorbell, or '' if it rings later  13 '1' if the caller hears the
--       channel, and whoever hears it is counted here  14.. budgets, as
--       `charge` wants them; then id, entry of each
-- Returns {'accepted', snapshot's version, join code to prolong or false},
-- {'missed', entries, confirmed or false}, {'unreachable'}, {'restoring', ms
-- to wait}, {'denied', fit, ms to wait, ...} or {'gone'}.
local BUDGETS = 14
-- A life is not prolonged before that would gain so much of what is left of
-- it, or so many ms: the keys' expiries are a quarter of a commit. Less than
-- the slack that the caller adds.
local GAIN_PART, GAIN_MAX = 1000, 10000

-- Whether anybody hears the channel besides one who does for certain: ringing
-- for nobody costs both sides more than asking.
local function has_others(channel)
  local counted = redis.pcall('PUBSUB', 'SHARDNUMSUB', channel)
  return counted.err or counted[2] ~= 1
end

local fields = {'epoch', 'version', 'nonce', 'snapshot', 'code', 'code_until', 'confirmed',
  'restoring_until', 'swept', 'kept_until', 'tombstone'}
local own = #fields
local meta = redis.call('HMGET', KEYS[1], unpack(add_budgets(fields, BUDGETS)))
if not meta[1] then
  return {'gone'}
end
if meta[1] ~= ARGV[1] then
  return {'unreachable'}
end
if meta[2] ~= ARGV[2] or meta[3] ~= ARGV[3] then
  return missing(KEYS[2], ARGV[2] .. '-' .. ARGV[3], tonumber(ARGV[10]), meta[7])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if meta[8] then
  if now < tonumber(meta[8]) then
    return {'restoring', string.format('%.0f', tonumber(meta[8]) - now)}
  end
  redis.call('HDEL', KEYS[1], 'restoring_until')
end
local set = {'version', ARGV[4], 'nonce', ARGV[5]}
if own < #fields then
  local all, verdicts = charge(meta, own, BUDGETS, now, set)
  if not all then
    return {'denied', unpack(verdicts)}
  end
  sweep(KEYS[1], meta[9], now, set)
end
-- Once for all: a number would be made a text for each.
local stamp = string.format('%.0f', now)
for i = BUDGETS + 1 + FIELDS_EACH * (#fields - own), #ARGV, 2 do
  redis.call('XADD', KEYS[2], ARGV[i], 'e', ARGV[i + 1], 't', stamp)
end
local code = false
if tonumber(meta[6]) < tonumber(ARGV[8]) then
  set[#set + 1], set[#set + 2] = 'code_until', ARGV[9]
  code = meta[5]
end
local kept_until = tonumber(ARGV[6])
local gain = kept_until - tonumber(meta[10] or 0)
local lives_on = meta[11] == ARGV[7] and 0 <= gain
  and gain < math.min((kept_until - now) / GAIN_PART, GAIN_MAX)
if not lives_on then
  set[#set + 1], set[#set + 2] = 'kept_until', ARGV[6]
  set[#set + 1], set[#set + 2] = 'tombstone', ARGV[7]
end
redis.call('HSET', KEYS[1], unpack(set))
if not lives_on then
  for i = 1, 3 do
    redis.call('PEXPIREAT', KEYS[i], ARGV[6])
  end
  redis.call('SET', KEYS[4], ARGV[7], 'PXAT', ARGV[8])
end
if ARGV[12] ~= '' and (ARGV[13] ~= '1' or has_others(ARGV[11])) then
  redis.call('SPUBLISH', ARGV[11], ARGV[12])
end
return {'accepted', meta[4], code}
