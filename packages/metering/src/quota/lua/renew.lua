-- tokenhub renew 3: extends the leases of live reservations and notes how much each has cost so far.
--
-- KEYS[1]   leases        ZSET request id → expiry in ms
-- KEYS[2…]  reservations  STRING, see reserve.lua
-- ARGV[1]   now in ms, '' for the store's clock
-- ARGV[2]   lease in ms
-- ARGV[3…]  per reservation: request id, cost so far in nano-USD
--
-- Returns the ids of those that the store does not know. A cost below one noted before is an overtaken message and leaves the
-- higher one.

local STATE, PROGRESS = 1, 2

local expiry = text(clock(ARGV[1]) + tonumber(ARGV[2]))
local unknown = {}
for i = 2, #KEYS do
  local request_id, progress = ARGV[2 * i - 1], ARGV[2 * i]
  local packed = redis.call('GET', KEYS[i])
  local reservation = packed and { cmsgpack.unpack(packed) } or {}
  if not packed then
    unknown[#unknown + 1] = request_id
  elseif reservation[STATE] == 'live' then
    if tonumber(progress) > tonumber(reservation[PROGRESS]) then
      reservation[PROGRESS] = progress
      redis.call('SET', KEYS[i], cmsgpack.pack(unpack(reservation)))
    end
    redis.call('ZADD', KEYS[1], expiry, request_id)
  end
end
return unknown
