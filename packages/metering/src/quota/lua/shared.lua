-- tokenhub quota 2: what the scripts share; put in front of each of them when it is loaded.
--
-- A scope is one hash of a few packed values, so that a script needs one short read and one short write of it:
--   w                          the window: last slot, folds, live reservations, requests, tokens, and of the last slot
--                              alone requests, tokens (WINDOW)
--   s                          requests and tokens of the 30 slots before the last one, the oldest first (SLOT); absent: 0.
--                              Long, so read and written only when it is needed: Lua hashes every byte of a string
--   d:<yyyymmdd>, m:<yyyymm>   money of a day or a month, UTC: settled and held (MONEY)
-- A slot is 2 s.
--
-- Numbers of Lua are doubles, exact up to 2^53 (in nano-USD 9,007,199 USD). They are written with '%.0f', since
-- tostring rounds to 14 digits. Sums of money are exact beyond that: each is two numbers,
-- whole USD and the nano-USD besides.

local SLOT_MS = 2000
local SLOTS = 31
local DAY_MS = 86400000
local NANO = 1000000000
local CARRY_NANO = 7000 * NANO -- with a largest cost of 9,000,000 USD added, still below 2^53

local WINDOW = '<ddddddd'
local SLOT = '<dd'
local SLOT_BYTES = 16
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

-- A scope as the store has it, with the money of one day and its month (false: none yet). All members are named at once:
-- a table that grows is what costs most here.
local function read_scope(key, day_field, month_field)
  local v = redis.call('HMGET', key, 'w', day_field, month_field)
  local last, folds, live, requests, tokens, slot_requests, slot_tokens = 0, 0, 0, 0, 0, 0, 0
  if v[1] then
    last, folds, live, requests, tokens, slot_requests, slot_tokens = struct.unpack(WINDOW, v[1])
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
    day = v[2],
    month = v[3],
    slot = last,
    is_folded = false,
    new_slots = false,
  }
end

local function pack_window(scope)
  return struct.pack(
    WINDOW, scope.last, scope.folds, scope.live, scope.requests, scope.tokens, scope.slot_requests, scope.slot_tokens
  )
end

local function write_scope(scope, day_field, day, month_field, month)
  redis.call('HSET', scope.key, 'w', pack_window(scope), day_field, day, month_field, month)
  if scope.new_slots then
    redis.call('HSET', scope.key, 's', scope.new_slots)
  end
end

local function empty_slots(count)
  return string.rep(struct.pack(SLOT, 0, 0), count)
end

-- The 30 slots before the last one.
local function slots_before(scope)
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
    scope.new_slots = empty_slots(SLOTS - 1)
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
