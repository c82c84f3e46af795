import type { KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'
import type { CacheLimits } from './kek.ts'
import type { WrappedDek } from './types.ts'

/** Unwrapped DEKs, for opening only. Named by key id, suite and the whole wrapped DEK. */
export class DekCache {
  readonly #kept: LRUCache<string, KeyObject> | null
  hits = 0

  constructor(limits: CacheLimits, clock: Clock) {
    this.#kept =
      limits.entries === 0
        ? null
        : new LRUCache({
            max: limits.entries,
            ttl: limits.maxAgeMs,
            ttlResolution: 0, // anything else sets a timer
            perf: { now: () => clock.monotonic() },
          })
  }

  get size(): number {
    return this.#kept?.size ?? 0
  }

  get(name: string): KeyObject | undefined {
    const key = this.#kept?.get(name)
    if (key !== undefined) this.hits++
    return key
  }

  set(name: string, key: KeyObject): void {
    this.#kept?.set(name, key)
  }

  /** Let go of what is past its age. */
  purge(): void {
    this.#kept?.purgeStale()
  }
}

/** The name of a wrapped DEK in the cache: one character for each byte. */
export function nameOf({ keyId, suite, wrapped }: WrappedDek): string {
  const bytes = Buffer.from(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength)
  return `${keyId}.${suite}.${bytes.toString('latin1')}`
}
