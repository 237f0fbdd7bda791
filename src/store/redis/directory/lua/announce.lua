-- An instance lives until its lease ends.
-- KEYS  1 instance
-- ARGV  1 address  2 started  3 lease in ms
redis.call('HSET', KEYS[1], 'address', ARGV[1], 'started', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])
