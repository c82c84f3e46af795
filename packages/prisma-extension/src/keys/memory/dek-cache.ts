import { createSecretKey, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { KEY_BYTES } from './dek-wrap.ts'
import type { WrappedDek } from '../types.ts'

const SLOTS_PER_PAGE = 1024
/** `KeyObject`s kept beside their bytes, for records that are read again and again: 5 MB. */
const LIVE_KEYS = 4096
/** What an entry takes beside its key and its name, about: the slot, its times, its place in the LRU. */
const ENTRY_BYTES = 160

export interface DekCacheLimits {
  readonly entries: number
  /** Milliseconds since it was put in. */
  readonly maxAgeMs: number
  /** How often one is given out; Infinity for no bound. */
  readonly maxUses: number
  /** Of all entries together, with their names, about. */
  readonly maxBytes: number
}

/**
 * Unwrapped DEKs, for opening only. Named by key id, suite and the whole wrapped DEK.
 *
 * They lie in pages of plain bytes, each zeroed when it leaves, and become a `KeyObject` when asked
 * for (1.3 to 5 µs); the latest few are kept so. Holding 100,000 `KeyObject`s instead takes five times
 * the memory and makes every cipher of the process half as slow again.
 *
 * What is past its age is never given out, but may stay until it is asked for or pushed out: going
 * through 100,000 entries at once would hold everything up for 25 ms.
 */
export class DekCache {
  readonly #maxUses: number
  readonly #maxBytes: number
  /** By slot, where uses are bounded. */
  readonly #uses = new Map<number, number>()
  readonly #newSlots: () => LRUCache<string, number> | null
  /** Made with the first entry: room for 100,000 takes 15 ms. */
  #slots: LRUCache<string, number> | null = null
  readonly #pages: Buffer[] = []
  readonly #free: number[] = []
  /** By slot. */
  readonly #live: (KeyObject | undefined)[] = []
  /** The slots that were made live last, as a ring: a Map's first key is found behind all that were deleted before it. */
  readonly #lately = new Int32Array(LIVE_KEYS).fill(-1)
  #nextLately = 0
  hits = 0

  constructor(limits: DekCacheLimits, clock: Clock) {
    this.#maxUses = limits.maxUses
    this.#maxBytes = limits.maxBytes
    this.#newSlots = () =>
      limits.entries === 0
        ? null
        : new LRUCache({
            max: limits.entries,
            maxSize: limits.maxBytes,
            ttl: limits.maxAgeMs,
            ttlResolution: 0, // anything else sets a timer
            perf: { now: () => clock.monotonic() },
            dispose: (slot) => this.#clear(slot),
          })
  }

  get size(): number {
    return this.#slots?.size ?? 0
  }

  get(name: string): KeyObject | undefined {
    const slot = this.#slots?.get(name)
    if (slot === undefined || !this.#mayUse(name, slot)) return undefined
    this.hits++
    return this.#live[slot] ?? this.#revive(slot)
  }

  /** Counts the use. */
  #mayUse(name: string, slot: number): boolean {
    if (this.#maxUses === Infinity) return true
    const uses = this.#uses.get(slot) ?? 0
    if (uses >= this.#maxUses) {
      this.#slots?.delete(name)
      return false
    }
    this.#uses.set(slot, uses + 1)
    return true
  }

  #revive(slot: number): KeyObject {
    const key = createSecretKey(this.#bytesOf(slot))
    const oldest = this.#lately[this.#nextLately]!
    if (oldest >= 0) this.#live[oldest] = undefined
    this.#live[slot] = key
    this.#lately[this.#nextLately] = slot
    this.#nextLately = (this.#nextLately + 1) % LIVE_KEYS
    return key
  }

  /** Copies `dek`. */
  set(name: string, dek: Uint8Array): void {
    const size = KEY_BYTES + name.length + ENTRY_BYTES
    if (size > this.#maxBytes) return
    const slots = (this.#slots ??= this.#newSlots())
    if (slots === null || slots.has(name)) return
    if (this.#free.length === 0) this.#addPage()
    const slot = this.#free.pop()!
    this.#bytesOf(slot).set(dek)
    slots.set(name, slot, { size })
  }

  /** Let go of every DEK under a key id. Looks at all entries: for denials and the end of a key. */
  drop(keyId: number): void {
    const slots = this.#slots
    if (slots === null || slots.size === 0) return
    slots.purgeStale() // what is stale would be passed over, and not be zeroed
    const prefix = prefixOf(keyId)
    for (const name of [...slots.keys()]) if (name.startsWith(prefix)) slots.delete(name)
  }

  /** Let go of all, zeroed. */
  clear(): void {
    this.#slots?.clear()
  }

  #clear(slot: number): void {
    this.#live[slot] = undefined
    this.#uses.delete(slot)
    this.#bytesOf(slot).fill(0)
    this.#free.push(slot)
  }

  #bytesOf(slot: number): Buffer {
    const at = (slot % SLOTS_PER_PAGE) * KEY_BYTES
    return this.#pages[Math.floor(slot / SLOTS_PER_PAGE)]!.subarray(at, at + KEY_BYTES)
  }

  #addPage(): void {
    const first = this.#pages.length * SLOTS_PER_PAGE
    this.#pages.push(Buffer.alloc(SLOTS_PER_PAGE * KEY_BYTES))
    for (let i = SLOTS_PER_PAGE - 1; i >= 0; i--) this.#free.push(first + i)
  }
}

/** The name of a wrapped DEK in the cache: one character for each byte. */
export function nameOf({ keyId, suite, wrapped }: WrappedDek): string {
  const bytes = Buffer.from(wrapped.buffer, wrapped.byteOffset, wrapped.byteLength)
  return `${prefixOf(keyId)}${suite}.${bytes.toString('latin1')}`
}

function prefixOf(keyId: number): string {
  return `${keyId}.`
}
