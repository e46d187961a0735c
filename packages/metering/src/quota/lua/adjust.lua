-- tokenhub adjust 3: changes what a request has cost, long after its end: a refund, or a price that was wrong.
--
-- KEYS[1]   mark    STRING that keeps a request from being adjusted twice while its row is on its way to the ledger
-- KEYS[2]   outbox  STREAM
-- KEYS[3…]  scopes  HASH, see shared.lua: those of the request
-- ARGV[1]   request id
-- ARGV[2]   nano-USD to add, negative for a refund
-- ARGV[3]   day, ARGV[4] month: the periods of its admission
-- ARGV[5]   cost event as JSON: that of the row which is adjusted
--
-- Returns 1 done, 0 it was adjusted before.

local KEEP_MARK_S = 24 * 3600

if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', KEEP_MARK_S) then
  return 0
end
local day_field, month_field = 'd:' .. ARGV[3], 'm:' .. ARGV[4]
local usd, nano = parse_money(ARGV[2])
for i = 3, #KEYS do
  local scope = read_scope(KEYS[i], day_field, month_field)
  -- Days that are past may have been dropped; nothing asks for them any more.
  for field, money in pairs({ [day_field] = scope.day, [month_field] = scope.month }) do
    if scope.epoch ~= 0 and money then
      redis.call('HSET', KEYS[i], field, add_sum(money, usd, nano))
    end
  end
end
redis.call('XADD', KEYS[2], '*', 'kind', 'R', 'rid', ARGV[1], 'delta', ARGV[2], 'day', ARGV[3], 'month', ARGV[4], 'event', ARGV[5])
return 1
