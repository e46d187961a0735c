import type { Cluster, Redis } from 'ioredis';

/** In front of a script: fails when it touches a key that it was not given, which a cluster may have elsewhere. */
const CHECK = `
local server = redis
local function check(command, key)
  if command == 'TIME' or command == 'PUBLISH' then
    return
  end
  for _, declared in ipairs(KEYS) do
    if key == declared then
      return
    end
  end
  error(command .. ' of a key that was not given: ' .. tostring(key))
end
local redis = {
  call = function(...)
    check(...)
    return server.call(...)
  end,
  pcall = function(...)
    check(...)
    return server.pcall(...)
  end,
}
`;

/** The same client, whose scripts must name all keys that they touch; a cluster itself sees only those on another node. */
export function checkDeclaredKeys<Client extends Redis | Cluster>(client: Client): Client {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'evalsha') return () => Promise.reject(new Error('NOSCRIPT'));
      if (name === 'eval') {
        return (script: string, keys: number, ...args: string[]) => target.eval(CHECK + script, keys, ...args);
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
