-- tokenhub settle 1: ends a reservation, books its cost and puts the cost event into the outbox, all in one step.
--
-- KEYS[1]   reservation  HASH, see reserve.lua
-- KEYS[2]   leases       ZSET request id → expiry in ms
-- KEYS[3]   outbox       STREAM
-- KEYS[4…]  scopes       HASH, as they were reserved
-- ARGV[1]   now in ms, '' for the store's clock
-- ARGV[2]   request id
-- ARGV[3]   S: it has ended · X: its lease has passed · V: it was reserved for nothing, no event
-- ARGV[4]   tokens      (S)
-- ARGV[5]   cost        (S) in nano-USD
-- ARGV[6]   cost event  (S) as JSON
--
-- Returns {'settled'}; {'gone'} nothing to do; {'keys', scopes} nothing done, call again with these keys (line by line).
--
-- Outbox kinds: S settled · E expired, with the admission as its event · A correction of an E · O a settlement without a
-- reservation: a repeated one, or the store has lost it; the unique key of the ledger decides.
--
-- ZREM comes before all other writes: without a need for memory itself, it lets the others pass when memory is full.

local KEEP_EXPIRED_S = 24 * 3600

local mode = ARGV[3]
local r = redis.call('HMGET', KEYS[1], 'st', 'keys', 'tok', 'cost', 'pg', 'D', 'M', 'about', 's1', 's2', 's3', 's4')
local state, keys, reserved_tokens, reserved_cost, progress, day, month = r[1], r[2], r[3], r[4], r[5], r[6], r[7]

if not state then
  redis.call('ZREM', KEYS[2], ARGV[2])
  if mode ~= 'S' then
    return { 'gone' }
  end
  redis.call('XADD', KEYS[3], '*', 'kind', 'O', 'rid', ARGV[2], 'delta', ARGV[5], 'event', ARGV[6])
  return { 'settled' }
end
if mode ~= 'S' and state ~= 'live' then
  return { 'gone' }
end
if mode == 'X' then
  local expiry = redis.call('ZSCORE', KEYS[2], ARGV[2])
  if expiry and tonumber(expiry) > clock(ARGV[1]) then
    return { 'gone' }
  end
end
if table.concat(KEYS, '\n', 4) ~= keys then
  return { 'keys', keys }
end

redis.call('ZREM', KEYS[2], ARGV[2])

-- Puts the true number of tokens into the slot of admission, if the window still has that slot.
local function correct_tokens(key, admitted, change)
  local v = redis.call('HMGET', key, 'ls', 'fold')
  local last, fold = tonumber(v[1]) or 0, v[2] or '0'
  local slot, its_fold = string.match(admitted, '^(%d+):(%d+)$')
  slot = tonumber(slot)
  if its_fold == fold and slot <= last and slot > last - SLOTS then
    redis.call('HINCRBY', key, 't' .. slot % SLOTS, text(change))
    redis.call('HINCRBY', key, 'tt', text(change))
  end
end

local kind, cost, event
if mode == 'X' then
  kind, cost, event = 'E', progress, r[8]
elseif mode == 'S' then
  kind, cost, event = state == 'live' and 'S' or 'A', ARGV[5], ARGV[6]
else
  cost = '0'
end
local delta = state == 'live' and cost or text(tonumber(cost) - tonumber(progress))

for i = 4, #KEYS do
  local key = KEYS[i]
  if state == 'live' then
    local release = text(-tonumber(reserved_cost))
    redis.call('HINCRBY', key, 'cc', -1)
    redis.call('HINCRBY', key, 'dh:' .. day, release)
    redis.call('HINCRBY', key, 'mh:' .. month, release)
    local tokens = mode == 'S' and ARGV[4] or mode == 'V' and '0' or reserved_tokens
    if tokens ~= reserved_tokens then
      correct_tokens(key, r[9 + i - 4], tonumber(tokens) - tonumber(reserved_tokens))
    end
  end
  if delta ~= '0' then
    redis.call('HINCRBY', key, 'd:' .. day, delta)
    redis.call('HINCRBY', key, 'm:' .. month, delta)
  end
end

if mode == 'X' then
  redis.call('HSET', KEYS[1], 'st', 'expired')
  redis.call('EXPIRE', KEYS[1], KEEP_EXPIRED_S)
else
  redis.call('DEL', KEYS[1])
end
if kind then
  redis.call('XADD', KEYS[3], '*', 'kind', kind, 'rid', ARGV[2], 'delta', delta, 'day', day, 'month', month, 'event', event)
end
return { 'settled' }
