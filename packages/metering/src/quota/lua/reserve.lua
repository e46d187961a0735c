-- tokenhub reserve 1: holds quota in all scopes of a request, or in none of them.
--
-- KEYS[1]   reservation  HASH st, tok, cost, pg, D, M, keys, about, s1..s4
-- KEYS[2]   leases       ZSET request id → expiry in ms
-- KEYS[3…]  scopes       HASH, one to four, see shared.lua
-- ARGV[1]   now in ms, '' for the store's clock
-- ARGV[2]   request id
-- ARGV[3]   lease in ms
-- ARGV[4]   tokens
-- ARGV[5]   cost in nano-USD
-- ARGV[6]   floor: what is billed if nobody ever renews or settles
-- ARGV[7]   admission as JSON, for that same case
-- ARGV[8…]  per scope: requests, tokens, concurrency, day, month; '' for no limit
--
-- Returns {1, windows…} granted; {0, scope, dimension, used, held, wait ms or -1, windows…} refused, nothing consumed;
-- {2} the reservation has expired. Windows are three numbers per scope: requests, tokens, ms until all of it is free.

local REQUESTS, TOKENS, CONCURRENCY, DAY, MONTH = 1, 2, 3, 4, 5
local SECOND_MS = 1000
local KEEP_DAYS = 3
local IDLE_S = 40 * 24 * 3600 -- outlives the month of the last use

local now = clock(ARGV[1])
local tokens, cost = tonumber(ARGV[4]), tonumber(ARGV[5])
local day, month = periods(now)

local state = redis.call('HGET', KEYS[1], 'st')
if state == 'expired' then
  return { 2 }
end

local function read_scope(key)
  local v = redis.call('HMGET', key, 'ls', 'rt', 'tt', 'cc', 'fold', 'd:' .. day, 'dh:' .. day, 'm:' .. month, 'mh:' .. month)
  local scope = roll(key, now, tonumber(v[1]), tonumber(v[2]), tonumber(v[3]))
  scope.key = key
  scope.live = tonumber(v[4]) or 0
  scope.fold = tonumber(v[5]) or 0
  scope.day, scope.day_held = v[6] or '0', v[7] or '0'
  scope.month, scope.month_held = v[8] or '0', v[9] or '0'
  scope.first_of_day = not v[7]
  return scope
end

local function write_fold(scope)
  local fields = { 'ls', text(scope.slot), 'fold', text(scope.fold + 1) }
  for i = 0, SLOTS - 1 do
    local current = i == scope.slot % SLOTS
    table.insert(fields, 'r' .. i)
    table.insert(fields, current and text(scope.requests) or '0')
    table.insert(fields, 't' .. i)
    table.insert(fields, current and text(scope.tokens) or '0')
  end
  redis.call('HSET', scope.key, unpack(fields))
  scope.last = scope.slot
  scope.fold = scope.fold + 1
end

-- Until `excess` of what the window holds has left it, oldest slots first.
local function wait_for(scope, prefix, excess)
  local fields, ends = {}, {}
  for k = scope.slot - SLOTS + 1, scope.last do
    table.insert(fields, prefix .. k % SLOTS)
    table.insert(ends, (k + SLOTS) * SLOT_MS)
  end
  if #fields > 0 then
    for i, count in ipairs(redis.call('HMGET', scope.key, unpack(fields))) do
      excess = excess - (tonumber(count) or 0)
      if excess <= 0 then
        return ends[i] - now
      end
    end
  end
  return -1
end

-- Money that is only held may come free at any time; what is settled stays until the period ends.
local function wait_for_money(settled, limit, period_end)
  if cost > limit then
    return -1
  end
  return tonumber(settled) + cost <= limit and SECOND_MS or period_end - now
end

local function end_of_month()
  local following = now - now % DAY_MS
  repeat
    following = following + DAY_MS
    local _, its_month = periods(following)
  until its_month ~= month
  return following
end

-- Which limit forbids the request: dimension, used, held, wait; nothing when none does.
local function refuse(scope, at)
  local rpm, tpm = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  if rpm and scope.requests + 1 > rpm then
    local wait = rpm < 1 and -1 or wait_for(scope, 'r', scope.requests + 1 - rpm)
    return REQUESTS, text(scope.requests), '0', wait
  end
  if tpm and scope.tokens + tokens > tpm then
    local wait = tokens > tpm and -1 or wait_for(scope, 't', scope.tokens + tokens - tpm)
    return TOKENS, text(scope.tokens), '0', wait
  end
  local concurrency = tonumber(ARGV[at + 2])
  if concurrency and scope.live + 1 > concurrency then
    return CONCURRENCY, text(scope.live), '0', concurrency < 1 and -1 or SECOND_MS
  end
  local budget = tonumber(ARGV[at + 3])
  if budget and tonumber(scope.day) + tonumber(scope.day_held) + cost > budget then
    return DAY, scope.day, scope.day_held, wait_for_money(scope.day, budget, now - now % DAY_MS + DAY_MS)
  end
  budget = tonumber(ARGV[at + 4])
  if budget and tonumber(scope.month) + tonumber(scope.month_held) + cost > budget then
    return MONTH, scope.month, scope.month_held, wait_for_money(scope.month, budget, end_of_month())
  end
end

local function hold(scope)
  local fields = {
    'ls', text(scope.slot),
    'rt', text(scope.requests + 1),
    'tt', text(scope.tokens + tokens),
    'cc', text(scope.live + 1),
  }
  for _, field in ipairs(scope.stale) do
    table.insert(fields, field)
    table.insert(fields, '0')
  end
  redis.call('HSET', scope.key, unpack(fields))
  redis.call('HINCRBY', scope.key, 'r' .. scope.slot % SLOTS, 1)
  redis.call('HINCRBY', scope.key, 't' .. scope.slot % SLOTS, ARGV[4])
  redis.call('HINCRBY', scope.key, 'dh:' .. day, ARGV[5])
  redis.call('HINCRBY', scope.key, 'mh:' .. month, ARGV[5])
  scope.last = scope.slot
  scope.requests = scope.requests + 1
  scope.tokens = scope.tokens + tokens
end

-- Once a day: drops periods that nothing can be settled into any more, and puts off the end of the whole hash.
local function tidy(key)
  local oldest_day = periods(now - KEEP_DAYS * DAY_MS)
  local _, oldest_month = periods(now - 31 * DAY_MS)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local kind, period = string.match(field, '^([dm])h?:(%d+)$')
    if kind and period < (kind == 'd' and oldest_day or oldest_month) then
      redis.call('HDEL', key, field)
    end
  end
  redis.call('EXPIRE', key, IDLE_S)
end

local scopes = {}
for i = 3, #KEYS do
  table.insert(scopes, read_scope(KEYS[i]))
end

local reply = { 1 }
if not state then
  for i, scope in ipairs(scopes) do
    if scope.folded then
      write_fold(scope) -- also when refused: otherwise the total would move on with every try and never leave
    end
  end
  for i, scope in ipairs(scopes) do
    local dimension, used, held, wait = refuse(scope, 8 + 5 * (i - 1))
    if dimension then
      reply = { 0, i, dimension, used, held, wait }
      break
    end
  end
end

if not state and reply[1] == 1 then
  local reservation = {
    'st', 'live',
    'tok', ARGV[4],
    'cost', ARGV[5],
    'pg', ARGV[6],
    'D', day,
    'M', month,
    'keys', table.concat(KEYS, '\n', 3),
    'about', ARGV[7],
  }
  for i, scope in ipairs(scopes) do
    hold(scope)
    table.insert(reservation, 's' .. i)
    table.insert(reservation, text(scope.slot) .. ':' .. text(scope.fold))
  end
  redis.call('HSET', KEYS[1], unpack(reservation))
  redis.call('ZADD', KEYS[2], text(now + tonumber(ARGV[3])), ARGV[2])
  for _, scope in ipairs(scopes) do
    if scope.first_of_day then
      tidy(scope.key)
    end
  end
end

for _, scope in ipairs(scopes) do
  local used = scope.requests > 0 or scope.tokens > 0
  table.insert(reply, scope.requests)
  table.insert(reply, scope.tokens)
  table.insert(reply, used and (scope.last + SLOTS) * SLOT_MS - now or 0)
end
return reply
