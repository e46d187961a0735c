-- tokenhub seed 3: gives a scope the money that the ledger knows of, once, and the holds of reservations from before it was made.
--
-- KEYS[1]   scope         HASH, see shared.lua
-- KEYS[2]   outbox        STREAM
-- KEYS[3]   watermark     STRING
-- KEYS[4…]  reservations  STRING, see reserve.lua: those that live
-- ARGV[1]   the scope as events name it, such as 'key:demo'
-- ARGV[2]   position in the outbox up to which events are in the ledger's sums; '0-0' when it has none
-- ARGV[3]   watermark as it was before the ledger was asked; '' for none
-- ARGV[4…]  the ledger's sums: field of a period, nano-USD
--
-- Returns 1 seeded; 0 it is already, nothing changed; 2 too many events are on their way to the ledger, come again; 3 some
-- have left the outbox since, and may not be in the sums: ask the ledger again.
--
-- What is settled becomes the ledger's sum and what the outbox holds besides: never more is added to it. Events of kind O are
-- left out: they are counted when they reach the ledger, since only that tells whether they are repetitions.

local MAX_EVENTS = 10000

local scope = read_scope(KEYS[1], '', '')
if scope.epoch > 0 then
  return 0
end
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[3] then
  return 3
end
local position = ARGV[2]
local events = redis.call('XRANGE', KEYS[2], '(' .. position, '+', 'COUNT', MAX_EVENTS + 1)
if #events > MAX_EVENTS then
  return 2
end

-- Held money stays, settled money begins anew.
local money = {}
for field, sums in pairs(read_money(KEYS[1])) do
  local _, _, held_usd, held_nano = unpack_money(sums)
  money[field] = struct.pack(MONEY, 0, 0, held_usd, held_nano)
end
for i = 4, #ARGV, 2 do
  money[ARGV[i]] = add_sum(money[ARGV[i]], parse_money(ARGV[i + 1]))
end

-- Most events are of others, which is told faster than it is read; an id that JSON may write otherwise is always read.
local name = string.match(ARGV[1], '^%w+:([%w%._-]+)$')
local function is_of_scope(event)
  if name and not string.find(event, name, 1, true) then
    return false
  end
  local is_read, e = pcall(cjson.decode, event)
  if not is_read or type(e) ~= 'table' then
    return false -- a dead letter to be
  end
  local id = ARGV[1]
  return id == 'key:' .. tostring(e.keyId)
    or id == 'user:' .. tostring(e.user)
    or id == 'team:' .. tostring(e.team)
    or id == 'org:' .. tostring(e.org)
end
for _, entry in ipairs(events) do
  local fields = to_fields(entry[2])
  if fields.kind ~= 'O' and fields.day and fields.month and is_of_scope(fields.event) then
    local delta = tonumber(fields.delta)
    for _, field in ipairs({ 'd:' .. fields.day, 'm:' .. fields.month }) do
      money[field] = add_money(money[field], delta, 0)
    end
  end
end

if scope.epoch == 0 then
  scope.epoch = -new_epoch()
end
scope.epoch = -scope.epoch

-- Where in its reservation a scope's slot, folds and epoch are; nothing when it is not one of its scopes.
local function find_admitted(keys)
  local at = FIRST_ADMITTED
  for key in string.gmatch(keys, '[^\n]+') do
    if key == KEYS[1] then
      return at
    end
    at = at + 3
  end
end
for i = 4, #KEYS do
  local packed = redis.call('GET', KEYS[i])
  local r = packed and { cmsgpack.unpack(packed) } or {}
  local at = r[1] == 'live' and find_admitted(r[7])
  if at and r[at + 2] ~= scope.epoch then
    scope.live = scope.live + 1
    for _, field in ipairs({ 'd:' .. r[5], 'm:' .. r[6] }) do
      money[field] = add_money(money[field], 0, tonumber(r[4]))
    end
    r[at], r[at + 1], r[at + 2] = 0, 0, scope.epoch -- its slot is lost
    redis.call('SET', KEYS[i], cmsgpack.pack(unpack(r)))
  end
end

local fields = { 'w', pack_window(scope), 'e', position }
for field, sums in pairs(money) do
  fields[#fields + 1] = field
  fields[#fields + 1] = sums
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('EXPIRE', KEYS[1], IDLE_S)
if position ~= '0-0' then
  redis.call('SETNX', KEYS[3], position)
end
return 1
