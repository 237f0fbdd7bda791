-- What lies behind a position of the log: {'missed', entries, confirmed or
-- false}, where the first entry is the position itself, or {'unreachable'}.
-- The exact id is compared: a version alone may belong to another history.
local function missing(log, id, max, confirmed)
  local entries = redis.call('XRANGE', log, id, '+', 'COUNT', max + 2)
  if #entries == 0 or entries[1][1] ~= id or #entries > max + 1 then
    return {'unreachable'}
  end
  return {'missed', entries, confirmed}
end

