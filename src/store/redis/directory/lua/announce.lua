-- An instance lives until its lease ends.
-- KEYS  1 instance
-- ARGV  1 address  2 started  3 lease in ms  4 figures (JSON)  5 task, or empty
-- Returns {1 if its lease was running, else 0; 1 if it is asked to drain, else 0}.
local is_renewal = redis.call('EXISTS', KEYS[1])
redis.call('HSET', KEYS[1],
  'address', ARGV[1], 'started', ARGV[2], 'figures', ARGV[4], 'task', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {is_renewal, redis.call('HEXISTS', KEYS[1], 'drain')}
