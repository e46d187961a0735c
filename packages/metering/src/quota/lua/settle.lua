-- tokenhub settle 2: ends a reservation, books its cost and puts the cost event into the outbox, all in one step.
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
-- Returns {'settled'}; {'gone'} nothing to do; {'keys', scopes} nothing done, call again with these keys (line by line).
--
-- Outbox kinds: S settled · E expired, with the admission as its event · A correction of an E · O a settlement without a
-- reservation: a repeated one, or the store has lost it; the unique key of the ledger decides.
--
-- ZREM comes before all other writes: without a need for memory itself, it lets the others pass when memory is full.

local KEEP_EXPIRED_S = 24 * 3600
local FIRST_ADMITTED = 9 -- where slot and folds of the first scope are

local mode = ARGV[3]
local packed = redis.call('GET', KEYS[1])
if not packed then
  redis.call('ZREM', KEYS[2], ARGV[2])
  if mode ~= 'S' then
    return { 'gone' }
  end
  redis.call('XADD', KEYS[3], '*', 'kind', 'O', 'rid', ARGV[2], 'delta', ARGV[5], 'event', ARGV[6])
  return { 'settled' }
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

-- Slots before the last one, with tokens added to the one that is `age` slots older than the last.
local function add_tokens(slots, age, change)
  local at = (SLOTS - 1 - age) * SLOT_BYTES + 1
  local its_requests, its_tokens, next_at = struct.unpack(SLOT, slots, at)
  return string.sub(slots, 1, at - 1) .. struct.pack(SLOT, its_requests, its_tokens + change) .. string.sub(slots, next_at)
end

-- Ends the hold, and puts the true number of tokens into the slot of admission, if the window still has that slot.
local function release(scope, slot, folds)
  scope.live = scope.live - 1
  local change = tokens - reserved_tokens
  local age = scope.last - slot
  if change == 0 or folds ~= scope.folds or age < 0 or age >= SLOTS then
    return
  end
  scope.tokens = scope.tokens + change
  if age == 0 then
    scope.slot_tokens = scope.slot_tokens + change
  else
    scope.new_slots = add_tokens(slots_before(scope), age, change)
  end
end

local day_field, month_field = 'd:' .. day, 'm:' .. month
local released = is_live and -reserved_cost or 0
for i = 4, #KEYS do
  local scope = read_scope(KEYS[i], day_field, month_field)
  if is_live then
    local at = FIRST_ADMITTED + 2 * (i - 4)
    release(scope, r[at], r[at + 1])
  end
  local day_money, month_money = add_money(scope.day, delta, released), add_money(scope.month, delta, released)
  write_scope(scope, day_field, day_money, month_field, month_money)
end

if mode == 'X' then
  local expired = cmsgpack.pack('expired', unpack(r, 2))
  redis.call('SET', KEYS[1], expired, 'EX', KEEP_EXPIRED_S)
else
  redis.call('DEL', KEYS[1])
end
if kind then
  redis.call('XADD', KEYS[3], '*', 'kind', kind, 'rid', ARGV[2], 'delta', delta, 'day', day, 'month', month, 'event', event)
end
return { 'settled' }
