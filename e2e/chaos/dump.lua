-- All keys of a Redis at one moment: for each its name, its value as DUMP gives it, and its time to live in ms, -1 for none.

local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  all[#all + 1] = { key, redis.call('DUMP', key), redis.call('PTTL', key) }
end
return all
