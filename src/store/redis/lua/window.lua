-- What a budget holds: how many attempts count in all (3 bytes), then when
-- they leave the window and how many at once (6 + 3 bytes), in order.

-- Whether `wanted` more attempts fit. Returns how many do, in how many ms one
-- more would, and what the budget then holds. The rule is that of
-- `limits::Window`: a test holds both to it.
local function take(held, now, max, window, grain, wanted)
  local sum, from = 0, 4
  held = held or ''
  if held ~= '' then
    sum = struct.unpack('>I3', held)
    while from < #held do
      local leaves, attempts = struct.unpack('>I6I3', held, from)
      if now < leaves then
        break
      end
      sum, from = sum - attempts, from + 9
    end
  end
  local leaves = math.ceil(now / grain) * grain + window
  local fit, wait = wanted, 0
  if max < sum + wanted then
    fit = math.max(max - sum, 0)
    local excess, opens = sum + fit - max, leaves
    for at = from, #held, 9 do
      local leaves_at, attempts = struct.unpack('>I6I3', held, at)
      if excess < attempts then
        opens = leaves_at
        break
      end
      excess = excess - attempts
    end
    wait = opens - now
  end
  if fit == 0 then
    return 0, wait, nil
  end
  local kept, attempts = string.sub(held, from), fit
  if kept ~= '' then
    local last, more = struct.unpack('>I6I3', held, #held - 8)
    if last == leaves then
      kept, attempts = string.sub(held, from, -10), fit + more
    end
  end
  return fit, wait, struct.pack('>I3', sum + fit) .. kept .. struct.pack('>I6I3', leaves, attempts)
end

