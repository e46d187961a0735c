-- tokenhub read 3: what a scope has used, without changing anything.
--
-- KEYS[1]  scope  HASH, see shared.lua
-- ARGV[1]  now in ms, '' for the store's clock
--
-- Returns {requests, tokens, concurrency, day, settled, held, month, settled, held}.

local now = clock(ARGV[1])
local day, month = periods(now)
local scope = read_scope(KEYS[1], 'd:' .. day, 'm:' .. month)
roll(scope, now)
local day_settled_usd, day_settled, day_held_usd, day_held = unpack_money(scope.day)
local month_settled_usd, month_settled, month_held_usd, month_held = unpack_money(scope.month)
return {
  scope.requests,
  scope.tokens,
  scope.live,
  day,
  money_text(day_settled_usd, day_settled),
  money_text(day_held_usd, day_held),
  month,
  money_text(month_settled_usd, month_settled),
  money_text(month_held_usd, month_held),
}
