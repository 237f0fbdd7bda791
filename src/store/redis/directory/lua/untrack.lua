-- Sockets of one session that are gone. A player stays online for as long as
-- another socket's lease runs.
-- KEYS  1 connections  2 online
-- ARGV  1.. player, socket/instance
local lease_ends = {}
for i = 1, #ARGV, 2 do
  redis.call('ZREM', KEYS[1], ARGV[i] .. '/' .. ARGV[i + 1])
  lease_ends[ARGV[i]] = 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = redis.call('ZRANGE', KEYS[1], now, '+inf', 'BYSCORE', 'WITHSCORES')
for i = 1, #left, 2 do
  local player = string.match(left[i], '^[^/]+')
  if lease_ends[player] then
    lease_ends[player] = math.max(lease_ends[player], tonumber(left[i + 1]))
  end
end
for player, lease_end in pairs(lease_ends) do
  if lease_end > 0 then
    redis.call('ZADD', KEYS[2], lease_end, player)
  else
    redis.call('ZREM', KEYS[2], player)
  end
end
return 1
