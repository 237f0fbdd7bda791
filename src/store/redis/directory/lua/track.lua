-- Sockets of one session that are here, until their leases end; those whose
-- leases are over go.
-- KEYS  1 connections  2 online
-- ARGV  1 lease in ms  2 how long the keys are kept, in ms  3.. player, socket/instance
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease_end = now + tonumber(ARGV[1])
for i = 3, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], lease_end, ARGV[i] .. '/' .. ARGV[i + 1])
  redis.call('ZADD', KEYS[2], 'GT', lease_end, ARGV[i])
end
for i = 1, 2 do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return 1
