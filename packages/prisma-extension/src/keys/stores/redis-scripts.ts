// All of a key store is one hash, so it is whole or gone, and in one slot of a Redis Cluster:
//
//   format             2
//   keyring:<name>     the keyring's document
//   owner:<key id>     the keyring's name
//   uses:<key id>      a count
//   last               the highest key id
//
// Whatever is done is one script, also what only reads: replicas, which may be behind, are not asked then.
// A client's connection is shared by all that use it, so WATCH, which goes by connection, would mix them up.
//
// Each begins with the format, and answers { 'format', <other> } if it is another one.

/** Version of what this code writes. It reads no other one. */
export const FORMAT = '2'

const GUARD = `
local key = KEYS[1]
local format = redis.call('HGET', key, 'format')
if format and format ~= ARGV[1] then return { 'format', format } end
`

export const SCRIPTS = {
  init: `${GUARD}
redis.call('HSET', key, 'format', ARGV[1])
return { 'ok' }`,

  // Document, then key id and uses of each version. What is no document is for the caller to refuse.
  read: `${GUARD}
local document = redis.call('HGET', key, 'keyring:' .. ARGV[2])
if not document then return { 'none' } end
local answer = { 'ok', document }
local parses, keyring = pcall(cjson.decode, document)
if parses and type(keyring) == 'table' and type(keyring.keys) == 'table' then
  for _, row in ipairs(keyring.keys) do
    if type(row) == 'table' and type(row.keyId) == 'number' then
      local id = string.format('%.0f', row.keyId)
      answer[#answer + 1] = id
      answer[#answer + 1] = redis.call('HGET', key, 'uses:' .. id) or '0'
    end
  end
end
return answer`,

  owner: `${GUARD}
return { 'ok', redis.call('HGET', key, 'owner:' .. ARGV[2]) }`,

  last: `${GUARD}
return { 'ok', redis.call('HGET', key, 'last') }`,

  keyrings: `${GUARD}
local answer = { 'ok' }
local prefix = 'keyring:' .. ARGV[2]
for _, field in ipairs(redis.call('HKEYS', key)) do
  if string.sub(field, 1, #prefix) == prefix then answer[#answer + 1] = string.sub(field, 9) end
end
return answer`,

  // ARGV: format, name, document as it was read ('' for none), document as it will be, new key ids …
  write: `${GUARD}
local field = 'keyring:' .. ARGV[2]
if (redis.call('HGET', key, field) or '') ~= ARGV[3] then return { 'none' } end
for i = 5, #ARGV do
  if redis.call('HEXISTS', key, 'owner:' .. ARGV[i]) == 1 then return { 'none' } end
end
redis.call('HSET', key, 'format', ARGV[1], field, ARGV[4])
for i = 5, #ARGV do
  redis.call('HSET', key, 'owner:' .. ARGV[i], ARGV[2])
  local last = tonumber(redis.call('HGET', key, 'last') or '0')
  if tonumber(ARGV[i]) > last then redis.call('HSET', key, 'last', ARGV[i]) end
end
return { 'ok' }`,

  // ARGV: format, key id, count, limit
  reserve: `${GUARD}
if redis.call('HEXISTS', key, 'owner:' .. ARGV[2]) == 0 then return { 'none' } end
local uses = tonumber(redis.call('HGET', key, 'uses:' .. ARGV[2]) or '0')
if uses + tonumber(ARGV[3]) > tonumber(ARGV[4]) then return { 'none' } end
redis.call('HINCRBY', key, 'uses:' .. ARGV[2], ARGV[3])
return { 'ok' }`,
} as const
