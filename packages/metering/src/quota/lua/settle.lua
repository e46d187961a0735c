-- tokenhub settle 3: ends a reservation, books its cost and puts the cost event into the outbox, all in one step.
--
-- KEYS[1]   reservation  STRING, see reserve.lua
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
-- Returns {'settled', position of the event in the outbox, '' without one}; {'gone'} nothing to do; {'keys', scopes} nothing
-- done, call again with these keys (line by line).
--
-- Outbox kinds: S settled · E expired, with the admission as its event · A correction of an E · O a settlement without a
-- reservation: a repeated one, or the store has lost it; the unique key of the ledger decides.
--
-- ZREM comes before all other writes: without a need for memory itself, it lets the others pass when memory is full.

local KEEP_EXPIRED_S = 24 * 3600

local mode = ARGV[3]
local packed = redis.call('GET', KEYS[1])
if not packed then
  redis.call('ZREM', KEYS[2], ARGV[2])
  if mode ~= 'S' then
    return { 'gone' }
  end
  return { 'settled', redis.call('XADD', KEYS[3], '*', 'kind', 'O', 'rid', ARGV[2], 'delta', ARGV[5], 'event', ARGV[6]) }
end

local r = { cmsgpack.unpack(packed) }
local state, progress, reserved_tokens, reserved_cost, day, month, keys, admission = unpack(r, 1, 8)
local is_live = state == 'live'
if mode ~= 'S' and not is_live then
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

local kind, cost, event
if mode == 'X' then
  kind, cost, event = 'E', progress, admission
elseif mode == 'S' then
  kind, cost, event = is_live and 'S' or 'A', ARGV[5], ARGV[6]
else
  cost = '0'
end
local delta = is_live and cost or text(cost - progress)
local tokens = mode == 'S' and ARGV[4] or mode == 'V' and '0' or reserved_tokens

local day_field, month_field = 'd:' .. day, 'm:' .. month
for i = 4, #KEYS do
  local scope = read_scope(KEYS[i], day_field, month_field)
  -- One that is gone gets its money from the ledger and the outbox when it is made anew.
  if scope.epoch ~= 0 then
    local at = FIRST_ADMITTED + 3 * (i - 4)
    local slot, folds, epoch = r[at], r[at + 1], r[at + 2]
    local released = 0
    if is_live and math.abs(scope.epoch) == epoch then
      scope.live = scope.live - 1
      correct_tokens(scope, slot, folds, tokens - reserved_tokens)
      released = -reserved_cost
    end
    local day_money, month_money = add_money(scope.day, delta, released), add_money(scope.month, delta, released)
    write_scope(scope, day_field, day_money, month_field, month_money)
  end
end

if mode == 'X' then
  local expired = cmsgpack.pack('expired', unpack(r, 2))
  redis.call('SET', KEYS[1], expired, 'EX', KEEP_EXPIRED_S)
else
  redis.call('DEL', KEYS[1])
end
local position = ''
if kind then
  position = redis.call('XADD', KEYS[3], '*', 'kind', kind, 'rid', ARGV[2], 'delta', delta, 'day', day, 'month', month, 'event', event)
end
return { 'settled', position }
