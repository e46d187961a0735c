-- tokenhub put 2: puts a key's record in the place of the one that was read, and its secret with it; all or nothing.
--
-- KEYS[1]  records  HASH, id -> record as JSON
-- KEYS[2]  secrets  HASH, MAC of the secret -> id
-- KEYS[3]  ids      LIST, oldest first
-- ARGV[1]  id
-- ARGV[2]  the record that is expected to be there, '' for none
-- ARGV[3]  the record to put
-- ARGV[4]  channel that is told the id
-- ARGV[5]  MAC of the secret
-- ARGV[6…] MACs that are not the key's any more
--
-- Returns 1 when it was put, also by the same call before; 0 when another record is there.

local current = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if current == ARGV[3] then
  return 1
end
if current ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[5], ARGV[1])
for index = 6, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[index])
end
if current == '' then
  redis.call('RPUSH', KEYS[3], ARGV[1])
end
-- Whoever is not told finds out by itself: a channel that fails must not make the change look failed.
redis.pcall('PUBLISH', ARGV[4], ARGV[1])
return 1
