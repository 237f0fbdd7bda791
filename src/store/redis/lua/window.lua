-- What a budget holds: how many attempts count in all (3 bytes), then when
-- they leave the window and how many at once (6 + 3 bytes), in order.

-- Whether `wanted` more attempts fit. Returns how many do, in how many ms one
-- more would, and what the budget then holds. The rule is that of
-- `limits::Window`: a test holds both to it.
local function take(held, now, max, window, grain, wanted)
  local sum, from, size = 0, 4, 0
  if held then
    local leaves, attempts
    size = #held
    sum, leaves, attempts = struct.unpack('>I3I6I3', held)
    while leaves <= now do
      sum, from = sum - attempts, from + 9
      if size < from then
        break
      end
      leaves, attempts = struct.unpack('>I6I3', held, from)
    end
  end
  local leaves = now + window
  if grain > 1 then
    leaves = math.ceil(now / grain) * grain + window
  end
  local fit, wait = wanted, 0
  if max < sum + wanted then
    fit = math.max(max - sum, 0)
    local excess, opens = sum + fit - max, leaves
    for at = from, size, 9 do
      local leaves_at, attempts = struct.unpack('>I6I3', held, at)
      if excess < attempts then
        opens = leaves_at
        break
      end
      excess = excess - attempts
    end
    wait = opens - now
    if fit == 0 then
      return 0, wait, nil
    end
  end
  local last, attempts = size, fit
  if grain > 1 and from <= size then
    local last_leaves, more = struct.unpack('>I6I3', held, size - 8)
    if last_leaves == leaves then
      last, attempts = size - 9, fit + more
    end
  end
  local kept = ''
  if from <= last then
    kept = string.sub(held, from, last)
  end
  return fit, wait, struct.pack('>I3c0I6I3', sum + fit, kept, leaves, attempts)
end

