-- Asks budgets of a party; all that are to be counted are, or none.
-- KEYS  1.. a budget each, all of one slot
-- ARGV  of each: attempts at the most, ms of the window and of its grain, 1 to
--       count and 0 to look
-- Returns {}, or {which budget has no room, ms to wait}; the first is 0.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counted = {}
for i, key in ipairs(KEYS) do
  local at = 4 * i - 3
  local window, grain = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local fit, wait, held = take(redis.call('GET', key), now, tonumber(ARGV[at]), window, grain, 1)
  if fit == 0 then
    return {i - 1, wait}
  end
  if ARGV[at + 3] == '1' then
    counted[#counted + 1] = {key, held, window + grain}
  end
end
for _, budget in ipairs(counted) do
  redis.call('SET', budget[1], budget[2], 'PX', budget[3])
end
return {}
