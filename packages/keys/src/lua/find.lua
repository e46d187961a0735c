-- tokenhub find 1: the record of a secret, of one moment.
--
-- KEYS[1]  records  HASH, id -> record as JSON
-- KEYS[2]  secrets  HASH, MAC of the secret -> id
-- ARGV[1]  MAC of the secret
--
-- Returns the record, or nil when nobody has this secret.

local id = redis.call('HGET', KEYS[2], ARGV[1])
if not id then
  return false
end
return redis.call('HGET', KEYS[1], id)
