-- tokenhub repair 3: puts a scope's money right.
--
-- KEYS[1]   scope   HASH, see shared.lua
-- KEYS[2]   leases  ZSET
-- ARGV[1]   how often it was put right before: another number means that somebody else was faster
-- ARGV[2]   '1': nothing is held any more, provided that there are no live reservations at all
-- ARGV[3…]  field of a period, what to add to its settled nano-USD
--
-- Returns 1 done, 0 nothing changed.

local scope = read_scope(KEYS[1], '', '')
if scope.epoch == 0 or (redis.call('HGET', KEYS[1], 'c') or '0') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '1' then
  if redis.call('ZCARD', KEYS[2]) > 0 then
    return 0
  end
  scope.live = 0
  redis.call('HSET', KEYS[1], 'w', pack_window(scope))
  for field, sums in pairs(read_money(KEYS[1])) do
    local settled_usd, settled_nano = unpack_money(sums)
    redis.call('HSET', KEYS[1], field, struct.pack(MONEY, settled_usd, settled_nano, 0, 0))
  end
end
for i = 3, #ARGV, 2 do
  local money = redis.call('HGET', KEYS[1], ARGV[i])
  redis.call('HSET', KEYS[1], ARGV[i], add_sum(money, parse_money(ARGV[i + 1])))
end
redis.call('HSET', KEYS[1], 'c', ARGV[1] + 1)
return 1
