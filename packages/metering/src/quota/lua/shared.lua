-- tokenhub quota 1: what the scripts share; put in front of each of them when it is loaded.
--
-- A scope is one hash:
--   ls, rt, tt, r0..r30, t0..t30   sliding window: last slot, totals, then requests and tokens of 31 slots of 2 s
--   fold                           how often the window was folded (absent: never)
--   cc                             live reservations
--   d:<yyyymmdd>, dh:…             settled and held nano-USD of a day, m:<yyyymm>, mh:… of a month; UTC
--
-- Numbers of Lua are doubles, exact up to 2^53 (in nano-USD 9,007,199 USD). They are written with '%.0f', since
-- tostring rounds to 14 digits; money is added by HINCRBY, which is exact in 64 bits.

local SLOT_MS = 2000
local SLOTS = 31
local DAY_MS = 86400000

local function text(number)
  return string.format('%.0f', number + 0) -- + 0: turns -0 into 0
end

-- Milliseconds since 1970 of the store's clock, or of the one that a test passes in.
local function clock(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- yyyymmdd and yyyymm of a moment, UTC. Years are counted from March, so that a leap day is a year's last day; an era
-- is 400 years (http://howardhinnant.github.io/date_algorithms.html#civil_from_days).
local function periods(now)
  local days = math.floor(now / DAY_MS) + 719468 -- since 0000-03-01
  local era = math.floor(days / 146097)
  local day_of_era = days - era * 146097
  local year_of_era = math.floor(
    (day_of_era - math.floor(day_of_era / 1460) + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365
  )
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local month_from_march = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * month_from_march + 2) / 5) + 1
  local month = month_from_march < 10 and month_from_march + 3 or month_from_march - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  return string.format('%04d%02d%02d', year, month, day), string.format('%04d%02d', year, month)
end

-- The window of a scope as it is at `now`, not yet written.
--   slot                current slot; `last` is the one that the hash was last written in
--   requests, tokens    totals of the slots from slot - 30 to slot, which hold at least the last 60 s
--   stale               fields of slots that have left the window since `last`
--   folded              the clock stepped back: all counts belong into `slot`, so that none of them leaves too early
local function roll(key, now, last, requests, tokens)
  local slot = math.floor(now / SLOT_MS)
  local window = { slot = slot, last = last or slot, requests = requests or 0, tokens = tokens or 0, stale = {} }
  local passed = slot - window.last
  if passed < -1 then
    window.folded = true
  elseif passed == -1 then
    window.slot = window.last -- a jitter of the clock
  elseif passed > 0 then
    for k = slot - math.min(passed, SLOTS) + 1, slot do
      table.insert(window.stale, 'r' .. k % SLOTS)
      table.insert(window.stale, 't' .. k % SLOTS)
    end
    local counts = redis.call('HMGET', key, unpack(window.stale))
    for i = 1, #counts, 2 do
      window.requests = window.requests - (tonumber(counts[i]) or 0)
      window.tokens = window.tokens - (tonumber(counts[i + 1]) or 0)
    end
  end
  return window
end
