-- Writes how sockets come back, except those that were claimed since.
-- KEYS  1.. recovery
-- ARGV  1.. claims, owner, record, window in ms of each
-- Returns the positions of those that were, from 1.
local claimed = {}
for i, key in ipairs(KEYS) do
  local at = 4 * i - 3
  local claims, owner, record = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local known = redis.call('HMGET', key, 'claims', 'owner', 'record')
  if known[1] and tonumber(claims) < tonumber(known[1]) then
    claimed[#claimed + 1] = i
  else
    -- Most often nothing but the window is to be renewed.
    if known[1] ~= claims or known[2] ~= owner or known[3] ~= record then
      redis.call('HSET', key, 'claims', claims, 'owner', owner, 'record', record)
    end
    redis.call('PEXPIRE', key, ARGV[at + 3])
  end
end
return claimed
