-- tokenhub find 2: the record of a secret, of one moment.
--
-- KEYS[1]  records  HASH, id -> record as JSON
-- KEYS[2]  secrets  HASH, MAC of the secret -> id
-- ARGV     MACs of the secret, under one pepper each
--
-- Returns the record, or nil when nobody has this secret.

for _, mac in ipairs(ARGV) do
  local id = redis.call('HGET', KEYS[2], mac)
  if id then
    return redis.call('HGET', KEYS[1], id)
  end
end
return false
