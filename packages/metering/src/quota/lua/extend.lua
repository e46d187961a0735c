-- tokenhub extend 3: holds more for an answer that outgrows its reservation, in all of its scopes or in none.
--
-- KEYS[1]   reservation  STRING, see reserve.lua
-- KEYS[2…]  scopes       HASH, as they were reserved
-- ARGV[1]   further tokens
-- ARGV[2]   further cost in nano-USD
-- ARGV[3…]  limits per scope, see reserve.lua
--
-- Returns {1} held; {0, scope, dimension} a limit allows no more, nothing changed; {2} the reservation is not live or was made
-- with other scopes. It is a request already, so only tokens and money are looked at, in the window and the periods of its
-- admission.

local TOKENS, DAY, MONTH = 2, 4, 5

local packed = redis.call('GET', KEYS[1])
local r = packed and { cmsgpack.unpack(packed) } or {}
local state, _, reserved_tokens, reserved_cost, day, month, keys = unpack(r, 1, 7)
if state ~= 'live' or table.concat(KEYS, '\n', 2) ~= keys then
  return { 2 }
end

local tokens, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local day_field, month_field = 'd:' .. day, 'm:' .. month
local scopes = {}
for i = 2, #KEYS do
  local scope = read_scope(KEYS[i], day_field, month_field)
  local at = FIRST_ADMITTED + 3 * (i - 2)
  scope.is_held = math.abs(scope.epoch) == r[at + 2]
  scope.is_in_window = scope.is_held and correct_tokens(scope, r[at], r[at + 1], tokens)
  scopes[i - 1] = scope
  local limits = ARGV[i + 1]
  if limits ~= '' then
    local _, tpm, _, day_budget, month_budget = parse_limits(limits)
    if tpm and scope.is_in_window and scope.tokens > tpm then
      return { 0, i - 1, TOKENS }
    end
    if day_budget and not fits_budget(scope.day, day_budget, cost) then
      return { 0, i - 1, DAY }
    end
    if month_budget and not fits_budget(scope.month, month_budget, cost) then
      return { 0, i - 1, MONTH }
    end
  end
end

for _, scope in ipairs(scopes) do
  if scope.is_held then
    write_scope(scope, day_field, add_money(scope.day, 0, cost), month_field, add_money(scope.month, 0, cost))
  end
end
r[3], r[4] = text(reserved_tokens + tokens), text(reserved_cost + cost)
redis.call('SET', KEYS[1], cmsgpack.pack(unpack(r)))
return { 1 }
