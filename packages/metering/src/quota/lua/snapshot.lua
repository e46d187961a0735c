-- tokenhub snapshot 3: what scopes have settled, and up to which event of the outbox; changes nothing.
--
-- KEYS[1]   outbox     STREAM
-- KEYS[2]   watermark  STRING
-- KEYS[3]   leases     ZSET
-- KEYS[4…]  scopes     HASH, see shared.lua
--
-- Returns {position, live reservations, scopes…}: the position is '' when what is settled cannot be told from the ledger now,
-- since the outbox holds events of kind O, which are counted later than others, or too many events to look through. A scope
-- is {1 seeded or 0, times put right, live reservations, then per period: its field, settled, held}, or {} when there is none.

local MAX_EVENTS = 1000

local position = redis.call('GET', KEYS[2]) or '0-0'
if redis.call('XLEN', KEYS[1]) > MAX_EVENTS then
  position = ''
else
  for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
    local id, fields = entry[1], to_fields(entry[2])
    if fields.kind == 'O' then
      position = ''
      break
    end
    position = id
  end
end

local reply = { position, redis.call('ZCARD', KEYS[3]) }
for i = 4, #KEYS do
  local scope = read_scope(KEYS[i], '', '')
  local state = {}
  if scope.epoch ~= 0 then
    state = { scope.epoch > 0 and 1 or 0, tonumber(redis.call('HGET', KEYS[i], 'c') or 0), scope.live }
    for field, sums in pairs(read_money(KEYS[i])) do
      local settled_usd, settled_nano, held_usd, held_nano = unpack_money(sums)
      state[#state + 1] = field
      state[#state + 1] = money_text(settled_usd, settled_nano)
      state[#state + 1] = money_text(held_usd, held_nano)
    end
  end
  reply[#reply + 1] = state
end
return reply
