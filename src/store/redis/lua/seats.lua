-- The budgets of a session's seats: fields `rate:<player>:<event>` of its
-- hash, so that a commit reads and writes them with what it reads and writes
-- there anyway. In ARGV from `first` on: how many budgets, then of each its
-- field, attempts at the most, ms of the window and of its grain, attempts
-- wanted.
local FIELDS_EACH = 5
local SWEEP_EVERY = 60000

-- Adds the fields to those that are read.
local function add_budgets(fields, first)
  for i = 0, tonumber(ARGV[first]) - 1 do
    fields[#fields + 1] = ARGV[first + 1 + FIELDS_EACH * i]
  end
  return fields
end

-- `known` holds what was read of them behind its first `before` values; what
-- is to be written is added to `set`. Returns whether all attempts fit, and
-- of each budget how many do and in how many ms one more would.
local function charge(known, before, first, now, set)
  local all, verdicts = true, {}
  for i = 0, tonumber(ARGV[first]) - 1 do
    local at = first + 1 + FIELDS_EACH * i
    local wanted = tonumber(ARGV[at + 4])
    local fit, wait, held = take(known[before + i + 1], now, tonumber(ARGV[at + 1]),
      tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), wanted)
    all = all and fit == wanted
    verdicts[#verdicts + 1], verdicts[#verdicts + 2] = fit, wait
    if held then
      set[#set + 1], set[#set + 2] = ARGV[at], held
    end
  end
  return all, verdicts
end

-- Once in a while, budgets in which nothing counts any more are forgotten.
local function sweep(key, swept, now, set)
  if swept and now < tonumber(swept) + SWEEP_EVERY then
    return
  end
  set[#set + 1], set[#set + 2] = 'swept', string.format('%.0f', now)
  if not swept then
    return
  end
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    local held = all[i + 1]
    if string.sub(all[i], 1, 5) == 'rate:' and struct.unpack('>I6', held, #held - 8) <= now then
      redis.call('HDEL', key, all[i])
    end
  end
end

