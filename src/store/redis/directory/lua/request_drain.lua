-- An instance is asked to let its clients go. The wish lies in its own
-- record, so that it ends with its lease.
-- KEYS  1 instance
-- Returns 1 if its lease runs, else 0.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'drain', 1)
return 1
