-- tokenhub return-probe 1: gives a probe back, unless its time has passed and another gateway has it by now.
--
-- KEYS[1]  probe  STRING, id of the gateway that has it
-- ARGV[1]  id of the gateway that returns it
--
-- Returns 1 when it was returned, else 0.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
