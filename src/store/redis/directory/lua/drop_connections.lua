-- Takes back the records of sockets, except where another instance has written
-- them.
-- KEYS  1.. connection
-- ARGV  1.. instance, of each
for i, key in ipairs(KEYS) do
  local record = redis.call('GET', key)
  if record and string.find(record, '"instance":"' .. ARGV[i] .. '"', 1, true) then
    redis.call('DEL', key)
  end
end
return 1
