-- Counts attempts of seats that lead to no commit, as many as fit.
-- KEYS  1 meta
-- ARGV  1.. budgets, as `charge` wants them
-- Returns {'counted', fit, ms to wait, ...} or {'gone'}.
local known = redis.call('HMGET', KEYS[1], unpack(add_budgets({'epoch', 'swept'}, 1)))
if not known[1] then
  return {'gone'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local set = {}
local _, verdicts = charge(known, 2, 1, now, set)
if #set > 0 then
  sweep(KEYS[1], known[2], now, set)
  redis.call('HSET', KEYS[1], unpack(set))
end
return {'counted', unpack(verdicts)}
