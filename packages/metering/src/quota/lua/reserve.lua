-- tokenhub reserve 3: holds quota in all scopes of a request, or in none of them.
--
-- KEYS[1]   reservation  STRING, packed: 'live' or 'expired', progress, tokens, cost, day, month, scope keys (one a line),
--                        admission, then slot, folds and epoch per scope
-- KEYS[2]   leases       ZSET request id → expiry in ms
-- KEYS[3]   outbox       STREAM
-- KEYS[4…]  scopes       HASH, one to four, see shared.lua
-- ARGV[1]   now in ms, '' for the store's clock
-- ARGV[2]   request id
-- ARGV[3]   lease in ms
-- ARGV[4]   tokens
-- ARGV[5]   cost in nano-USD
-- ARGV[6]   floor: what is billed if nobody ever renews or settles
-- ARGV[7]   admission as JSON, for that same case
-- ARGV[8]   'seeded': money counts only when it is the ledger's too · 'adopt': the store has lost what was granted already,
--           nothing is checked · '': as it is
-- ARGV[9]   most entries in the outbox for requests under a budget
-- ARGV[10…] per scope: 'requests,tokens,concurrency,day,month', each empty for no limit; '' for no limits at all
--
-- Returns {1, windows…} granted; {0, scope, dimension, used, held, wait ms or -1, windows…} refused, nothing consumed;
-- {2} the reservation has expired; {3, scopes…} which are to be seeded first; {4} the outbox is too long.
-- Windows are three numbers per scope: requests, tokens, ms until all of it is free.

local REQUESTS, TOKENS, CONCURRENCY, DAY, MONTH = 1, 2, 3, 4, 5
local SECOND_MS = 1000
local KEEP_DAYS = 3

local now = clock(ARGV[1])
local tokens, cost = tonumber(ARGV[4]), tonumber(ARGV[5])
local day, month = periods(now)
local day_field, month_field = 'd:' .. day, 'm:' .. month
local mode = ARGV[8]
local FIRST_SCOPE, FIRST_LIMITS = 4, 10

local reservation = redis.call('GET', KEYS[1])
if reservation and cmsgpack.unpack(reservation) == 'expired' then
  return { 2 }
end

-- Until `excess` of what the window holds has left it, oldest slots first.
local function wait_for(scope, dimension, excess)
  local slots = slots_before(scope) .. struct.pack(SLOT, scope.slot_requests, scope.slot_tokens)
  local at = 1
  for k = scope.slot - SLOTS + 1, scope.slot do
    local its_requests, its_tokens
    its_requests, its_tokens, at = struct.unpack(SLOT, slots, at)
    excess = excess - (dimension == REQUESTS and its_requests or its_tokens)
    if excess <= 0 then
      return (k + SLOTS) * SLOT_MS - now
    end
  end
  return -1
end

local function end_of_day()
  return now - now % DAY_MS + DAY_MS
end

local function end_of_month()
  local following = now - now % DAY_MS
  repeat
    following = following + DAY_MS
    local _, its_month = periods(following)
  until its_month ~= month
  return following
end

-- Used, held and wait where a budget forbids the cost; nothing where it fits. Money that is only held may come free at
-- any time, what is settled stays until the period ends.
local function refuse_money(money, budget, end_of_period)
  if fits_budget(money, budget, cost) then
    return nil
  end
  local settled_usd, settled_nano, held_usd, held_nano = unpack_money(money)
  local settled = settled_usd * NANO + settled_nano
  local wait = -1
  if cost <= budget then
    wait = settled + cost <= budget and SECOND_MS or end_of_period() - now
  end
  return money_text(settled_usd, settled_nano), money_text(held_usd, held_nano), wait
end

-- Which limit forbids the request: dimension, used, held, wait; nothing when none does.
local function refuse(scope, limits)
  local rpm, tpm, concurrency, day_budget, month_budget = parse_limits(limits)
  if rpm and scope.requests + 1 > rpm then
    local wait = rpm < 1 and -1 or wait_for(scope, REQUESTS, scope.requests + 1 - rpm)
    return REQUESTS, text(scope.requests), '0', wait
  end
  if tpm and scope.tokens + tokens > tpm then
    local wait = tokens > tpm and -1 or wait_for(scope, TOKENS, scope.tokens + tokens - tpm)
    return TOKENS, text(scope.tokens), '0', wait
  end
  if concurrency and scope.live + 1 > concurrency then
    return CONCURRENCY, text(scope.live), '0', concurrency < 1 and -1 or SECOND_MS
  end
  if day_budget then
    local used, held, wait = refuse_money(scope.day, day_budget, end_of_day)
    if used then
      return DAY, used, held, wait
    end
  end
  if month_budget then
    local used, held, wait = refuse_money(scope.month, month_budget, end_of_month)
    if used then
      return MONTH, used, held, wait
    end
  end
end

-- Also when the request is refused then: otherwise the total would move on with every try and never leave.
local function fold(scope)
  scope.last = scope.slot
  scope.folds = scope.folds + 1
  scope.slot_requests, scope.slot_tokens = scope.requests, scope.tokens
  redis.call('HSET', scope.key, 'w', pack_window(scope)) -- before HDEL, which would let the rest pass when memory is full
  redis.call('HDEL', scope.key, 's')
end

local function hold(scope)
  if scope.epoch == 0 then
    scope.epoch = mode == '' and new_epoch() or -new_epoch()
  end
  scope.last = scope.slot
  scope.live = scope.live + 1
  scope.requests = scope.requests + 1
  scope.tokens = scope.tokens + tokens
  scope.slot_requests = scope.slot_requests + 1
  scope.slot_tokens = scope.slot_tokens + tokens
  write_scope(scope, day_field, add_money(scope.day, 0, cost), month_field, add_money(scope.month, 0, cost))
end

-- Once a day: drops periods that nothing can be settled into any more, and puts off the end of the whole hash.
local function tidy(key)
  local oldest_day = periods(now - KEEP_DAYS * DAY_MS)
  local _, oldest_month = periods(now - 31 * DAY_MS)
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local kind, period = string.match(field, '^([dm]):(%d+)$')
    if kind and period < (kind == 'd' and oldest_day or oldest_month) then
      redis.call('HDEL', key, field)
    end
  end
  redis.call('EXPIRE', key, IDLE_S)
end

local scopes = {}
local unseeded = { 3 }
local has_budget = false
for i = FIRST_SCOPE, #KEYS do
  local scope = read_scope(KEYS[i], day_field, month_field)
  roll(scope, now)
  local number = i - FIRST_SCOPE + 1
  scopes[number] = scope
  local limits = ARGV[FIRST_LIMITS - 1 + number]
  if limits ~= '' and string.sub(limits, -2) ~= ',,' then
    has_budget = true
    if scope.epoch <= 0 then
      unseeded[#unseeded + 1] = number
    end
  end
end

local is_checked = not reservation and mode ~= 'adopt'
if is_checked and has_budget then
  if redis.call('XLEN', KEYS[3]) > tonumber(ARGV[9]) then
    return { 4 }
  end
  if mode == 'seeded' and #unseeded > 1 then
    return unseeded
  end
end

local reply = { 1 }
if not reservation then
  for _, scope in ipairs(scopes) do
    if scope.is_folded then
      fold(scope)
    end
  end
end
if is_checked then
  for i, scope in ipairs(scopes) do
    local limits = ARGV[FIRST_LIMITS - 1 + i]
    if limits ~= '' then
      local dimension, used, held, wait = refuse(scope, limits)
      if dimension then
        reply = { 0, i, dimension, used, held, wait }
        break
      end
    end
  end
end

if not reservation and reply[1] == 1 then
  local admitted = {}
  for _, scope in ipairs(scopes) do
    hold(scope)
    admitted[#admitted + 1] = scope.slot
    admitted[#admitted + 1] = scope.folds
    admitted[#admitted + 1] = math.abs(scope.epoch)
  end
  local scope_keys = table.concat(KEYS, '\n', FIRST_SCOPE)
  redis.call(
    'SET', KEYS[1],
    cmsgpack.pack('live', ARGV[6], ARGV[4], ARGV[5], day, month, scope_keys, ARGV[7], unpack(admitted))
  )
  redis.call('ZADD', KEYS[2], text(now + tonumber(ARGV[3])), ARGV[2])
  for _, scope in ipairs(scopes) do
    if not scope.day then
      tidy(scope.key)
    end
  end
end

for _, scope in ipairs(scopes) do
  local is_used = scope.requests > 0 or scope.tokens > 0
  local size = #reply
  reply[size + 1] = scope.requests
  reply[size + 2] = scope.tokens
  reply[size + 3] = is_used and (scope.last + SLOTS) * SLOT_MS - now or 0
end
return reply
