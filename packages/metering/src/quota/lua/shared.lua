-- tokenhub quota 3: what the scripts share; put in front of each of them when it is loaded.
--
-- A scope is one hash of a few packed values, so that a script needs one short read and one short write of it:
--   w                          the window: last slot, folds, live reservations, requests, tokens, of the last slot alone
--                              requests, tokens, and the epoch (WINDOW). One of another size is of another version: none
--   s                          requests and tokens of the 30 slots before the last one, the oldest first (SLOT); absent: 0.
--                              Long, so read and written only when it is needed: Lua hashes every byte of a string
--   d:<yyyymmdd>, m:<yyyymm>   money of a day or a month, UTC: settled and held (MONEY)
--   e                          outbox position up to which the ledger's sums are in the money; absent: not seeded
--   c                          how often the money was put right since; absent: never
-- A slot is 2 s. The epoch is when the scope was made, in µs: what was held in an earlier one (the store has lost its data,
-- or somebody has deleted the scope) must not be released in this one. It is negative as long as there may be money in the
-- ledger that is not here.
--
-- Numbers of Lua are doubles, exact up to 2^53 (in nano-USD 9,007,199 USD). They are written with '%.0f', since
-- tostring rounds to 14 digits. Sums of money are exact beyond that: each is two numbers,
-- whole USD and the nano-USD besides.

local SLOT_MS = 2000
local SLOTS = 31
local DAY_MS = 86400000
local NANO = 1000000000
local CARRY_NANO = 7000 * NANO -- with a largest cost of 9,000,000 USD added, still below 2^53

local IDLE_S = 40 * 24 * 3600 -- of a scope: outlives the month of its last use

local FIRST_ADMITTED = 9 -- where in a reservation slot, folds and epoch of its first scope are

local WINDOW = '<dddddddd'
local WINDOW_BYTES = 64
local SLOT = '<dd'
local SLOT_BYTES = 16
local NO_SLOTS = '' -- all of them are 0, which is not kept: most scopes are used now and then
local MONEY = '<dddd'

local function text(number)
  return string.format('%.0f', number + 0) -- + 0: turns -0 into 0
end

-- Milliseconds since 1970 of the store's clock, or of the one that a test passes in.
local function clock(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- yyyymmdd and yyyymm of a moment, UTC. Years are counted from March, so that a leap day is a year's last day; an era
-- is 400 years (http://howardhinnant.github.io/date_algorithms.html#civil_from_days).
local function periods(now)
  local floor = math.floor
  local days = floor(now / DAY_MS) + 719468 -- since 0000-03-01
  local era = floor(days / 146097)
  local day_of_era = days - era * 146097
  local year_of_era = floor(
    (day_of_era - floor(day_of_era / 1460) + floor(day_of_era / 36524) - floor(day_of_era / 146096)) / 365
  )
  local day_of_year = day_of_era - (365 * year_of_era + floor(year_of_era / 4) - floor(year_of_era / 100))
  local month_from_march = floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - floor((153 * month_from_march + 2) / 5) + 1
  local month = month_from_march < 10 and month_from_march + 3 or month_from_march - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  local yyyymmdd = string.format('%04d%02d%02d', year, month, day)
  return yyyymmdd, string.sub(yyyymmdd, 1, 6)
end

-- A scope as the store has it (epoch 0: it has none), with the money of one day and its month (false: none yet). All members are named at once:
-- a table that grows is what costs most here.
local function read_scope(key, day_field, month_field)
  local v = redis.call('HMGET', key, 'w', day_field, month_field)
  local last, folds, live, requests, tokens, slot_requests, slot_tokens, epoch = 0, 0, 0, 0, 0, 0, 0, 0
  if v[1] and #v[1] == WINDOW_BYTES then
    last, folds, live, requests, tokens, slot_requests, slot_tokens, epoch = struct.unpack(WINDOW, v[1])
  end
  return {
    key = key,
    last = last,
    folds = folds,
    live = live,
    requests = requests,
    tokens = tokens,
    slot_requests = slot_requests,
    slot_tokens = slot_tokens,
    epoch = epoch,
    day = v[2],
    month = v[3],
    slot = last,
    is_folded = false,
    new_slots = false,
  }
end

-- That of a scope which is made now, by the store's own clock: no two are alike.
local function new_epoch()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function pack_window(scope)
  return struct.pack(
    WINDOW, scope.last, scope.folds, scope.live, scope.requests, scope.tokens, scope.slot_requests, scope.slot_tokens,
    scope.epoch
  )
end

local function write_scope(scope, day_field, day, month_field, month)
  redis.call('HSET', scope.key, 'w', pack_window(scope), day_field, day, month_field, month)
  if scope.new_slots == NO_SLOTS then
    redis.call('HDEL', scope.key, 's')
  elseif scope.new_slots then
    redis.call('HSET', scope.key, 's', scope.new_slots)
  end
end

local function empty_slots(count)
  return string.rep(struct.pack(SLOT, 0, 0), count)
end

-- The 30 slots before the last one.
local function slots_before(scope)
  if scope.new_slots == NO_SLOTS then
    return empty_slots(SLOTS - 1)
  end
  return scope.new_slots or redis.call('HGET', scope.key, 's') or empty_slots(SLOTS - 1)
end

-- Moves the window of a scope on to `now`, in memory only.
--   slot                current slot; `last` stays the one that the window was last written in
--   requests, tokens    totals of the slots from slot - 30 to slot, which hold at least the last 60 s
--   is_folded           the clock stepped back: all counts belong into `slot`, so that none of them leaves too early
local function roll(scope, now)
  scope.slot = math.floor(now / SLOT_MS)
  local passed = scope.slot - scope.last
  if passed < -1 then
    scope.is_folded = true
  elseif passed == -1 then
    scope.slot = scope.last -- a jitter of the clock
  elseif passed >= SLOTS then
    scope.requests, scope.tokens, scope.slot_requests, scope.slot_tokens = 0, 0, 0, 0
    scope.new_slots = scope.epoch ~= 0 and NO_SLOTS
  elseif passed > 0 then
    local slots = slots_before(scope) .. struct.pack(SLOT, scope.slot_requests, scope.slot_tokens)
    local at = 1
    for _ = 1, passed do
      local requests, tokens
      requests, tokens, at = struct.unpack(SLOT, slots, at)
      scope.requests = scope.requests - requests
      scope.tokens = scope.tokens - tokens
    end
    scope.slot_requests, scope.slot_tokens = 0, 0
    scope.new_slots = string.sub(slots, at) .. empty_slots(passed - 1)
  end
end

local function unpack_money(money)
  if not money then
    return 0, 0, 0, 0
  end
  return struct.unpack(MONEY, money)
end

-- Money of a period with both sums changed by so many nano-USD. Most sums are small and stay in nano-USD alone; whole USD
-- are taken out of one before it could become inexact.
local function add_money(money, settled, held)
  local settled_usd, settled_nano, held_usd, held_nano = unpack_money(money)
  settled_nano, held_nano = settled_nano + settled, held_nano + held
  if settled_nano > CARRY_NANO or settled_usd > 0 then
    local rest = math.fmod(settled_nano, NANO)
    settled_usd, settled_nano = settled_usd + (settled_nano - rest) / NANO, rest
  end
  if held_nano > CARRY_NANO or held_usd > 0 then
    local rest = math.fmod(held_nano, NANO)
    held_usd, held_nano = held_usd + (held_nano - rest) / NANO, rest
  end
  return struct.pack(MONEY, settled_usd, settled_nano, held_usd, held_nano)
end

local function money_text(usd, nano)
  local total = usd * NANO + nano
  if total < 9007199254740992 then
    return text(total)
  end
  if nano < 0 then
    usd, nano = usd - 1, nano + NANO
  end
  return string.format('%.0f%09.0f', usd, nano + 0)
end

-- Whole USD and the nano-USD besides of a sum, both with its sign.
local function parse_money(sum)
  local sign, digits = string.match(sum, '^(-?)(%d+)$')
  local usd, nano = tonumber(string.sub(digits, 1, -10)) or 0, tonumber(string.sub(digits, -9))
  if sign == '-' then
    return -usd, -nano
  end
  return usd, nano
end

-- Money with another sum of `parse_money` in what is settled.
local function add_sum(money, usd, nano)
  local settled_usd, settled_nano, held_usd, held_nano = unpack_money(money)
  return add_money(struct.pack(MONEY, settled_usd + usd, settled_nano, held_usd, held_nano), nano, 0)
end

-- Does a scope with this money of a period have room for a cost?
local function fits_budget(money, budget, cost)
  local settled_usd, settled_nano, held_usd, held_nano = unpack_money(money)
  return (settled_usd + held_usd) * NANO + settled_nano + held_nano + cost <= budget
end

-- The five limits of a scope as it was given them; nil for those that it has not.
local function parse_limits(limits)
  local rpm, tpm, concurrency, day, month = string.match(limits, '^([^,]*),([^,]*),([^,]*),([^,]*),([^,]*)$')
  return tonumber(rpm), tonumber(tpm), tonumber(concurrency), tonumber(day), tonumber(month)
end

-- Is a position in a stream, 'ms-number', after another one?
local function is_after(position, other)
  local ms, number = string.match(position, '^(%d+)-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)-(%d+)$')
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  return ms > other_ms or ms == other_ms and tonumber(number) > tonumber(other_number)
end

-- Money of all periods of a scope, by their fields.
local function read_money(key)
  local money = {}
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    if string.find(flat[i], '^[dm]:') then
      money[flat[i]] = flat[i + 1]
    end
  end
  return money
end

-- The members of an outbox entry by their names.
local function to_fields(flat)
  local fields = {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  return fields
end

-- Slots before the last one, with tokens added to the one that is `age` slots older than the last.
local function add_tokens(slots, age, change)
  local at = (SLOTS - 1 - age) * SLOT_BYTES + 1
  local its_requests, its_tokens, next_at = struct.unpack(SLOT, slots, at)
  return string.sub(slots, 1, at - 1) .. struct.pack(SLOT, its_requests, its_tokens + change) .. string.sub(slots, next_at)
end

-- Changes the tokens of a request in the slot that it was admitted in; false when the window does not have that slot any more.
local function correct_tokens(scope, slot, folds, change)
  local age = scope.last - slot
  if folds ~= scope.folds or age < 0 or age >= SLOTS then
    return false
  end
  if change == 0 then
    return true
  end
  scope.tokens = scope.tokens + change
  if age == 0 then
    scope.slot_tokens = scope.slot_tokens + change
  else
    scope.new_slots = add_tokens(slots_before(scope), age, change)
  end
  return true
end
