-- tokenhub remove 3: takes events out of the outbox that the ledger has, and counts those that nobody has counted yet.
--
-- KEYS[1]   outbox     STREAM
-- KEYS[2]   watermark  STRING: position of the last event that is in the ledger
-- KEYS[3…]  scopes     HASH, see shared.lua: of the events that are to be counted
-- ARGV[1]   how many events
-- ARGV[2…]  their positions, ascending
-- then per event of kind O that made a row of the ledger, and scope: position, number of the scope from 1, day, month, nano-USD
--
-- An event is counted only when it is removed, and so once. A scope that is gone, or seeded from a ledger that had the event
-- already, does not count it.

local count = tonumber(ARGV[1])
local is_removed = {}
for i = 2, count + 1 do
  is_removed[ARGV[i]] = redis.call('XDEL', KEYS[1], ARGV[i]) == 1
end

for i = count + 2, #ARGV, 5 do
  local position, key, day, month, delta = ARGV[i], KEYS[2 + ARGV[i + 1]], unpack(ARGV, i + 2, i + 4)
  if is_removed[position] then
    local scope = read_scope(key, 'd:' .. day, 'm:' .. month)
    local seeded_to = redis.call('HGET', key, 'e') or '0-0'
    if scope.epoch ~= 0 and is_after(position, seeded_to) then
      local usd, nano = parse_money(delta)
      redis.call('HSET', key, 'd:' .. day, add_sum(scope.day, usd, nano), 'm:' .. month, add_sum(scope.month, usd, nano))
    end
  end
end

local last = ARGV[count + 1]
local watermark = redis.call('GET', KEYS[2])
if not watermark or is_after(last, watermark) then
  redis.call('SET', KEYS[2], last)
end
