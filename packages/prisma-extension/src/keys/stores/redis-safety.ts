import { KeyError } from '../../errors.ts'

/** What a server says of how it keeps data; null where it does not say, as some hosted ones. */
export interface ServerSays {
  /** Answer of `INFO`, or of its sections memory and persistence. */
  readonly info: string | null
  /** `appendfsync` of `CONFIG GET`. */
  readonly appendfsync: string | null
}

/**
 * Refuse a server that could lose the key store, and with it all data under its keys.
 *
 * @param replicas - how many replicas confirm each write.
 * @returns what is not refused but should be known; null if there is nothing.
 * @throws {KeyError} `ERR_STORE_UNSAFE`
 */
export function checkSafety({ info, appendfsync }: ServerSays, replicas: number): string | null {
  const says = (name: string): string | undefined =>
    new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info ?? '')?.[1]
  const policy = says('maxmemory_policy') ?? ''
  const isBounded = says('maxmemory') !== '0'
  if (policy.startsWith('allkeys') && isBounded) {
    throw unsafe(
      `evicts what is not used (maxmemory-policy ${policy})`,
      'Set `maxmemory-policy noeviction`.',
    )
  }
  const isLogged = says('aof_enabled')
  if (isLogged === '0' && replicas === 0) {
    throw unsafe(
      'keeps no log of its writes (appendonly no)',
      'Set `appendonly yes` and `appendfsync always`, or let `replicas` confirm each write.',
    )
  }
  if (info === null || policy === '') return 'does not say whether it could lose data'
  const isAtOnce = appendfsync === 'always' || replicas > 0
  return isAtOnce ? null : 'may lose the writes of its last second (appendfsync is not always)'
}

function unsafe(how: string, fix: string): KeyError {
  return new KeyError('ERR_STORE_UNSAFE', `The Redis server ${how}: it could lose the key store.`, {
    fix: `${fix} Or say \`durability: 'unchecked'\`, and answer for it.`,
  })
}
