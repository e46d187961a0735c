-- tokenhub read 1: what a scope has used, without changing anything.
--
-- KEYS[1]  scope  HASH, see shared.lua
-- ARGV[1]  now in ms, '' for the store's clock
--
-- Returns {requests, tokens, concurrency, day, settled, held, month, settled, held}.

local now = clock(ARGV[1])
local day, month = periods(now)
local v = redis.call('HMGET', KEYS[1], 'ls', 'rt', 'tt', 'cc', 'd:' .. day, 'dh:' .. day, 'm:' .. month, 'mh:' .. month)
local window = roll(KEYS[1], now, tonumber(v[1]), tonumber(v[2]), tonumber(v[3]))
return {
  window.requests,
  window.tokens,
  tonumber(v[4]) or 0,
  day,
  v[5] or '0',
  v[6] or '0',
  month,
  v[7] or '0',
  v[8] or '0',
}
