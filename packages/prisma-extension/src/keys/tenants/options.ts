import { SYSTEM_CLOCK, type Clock } from '../clock.ts'
import {
  checkOptions,
  guardLimits,
  number,
  type CheckedOptions,
  type KeyringOptions,
} from '../options.ts'
import { GuardedRoot } from '../root/guarded-root.ts'
import type { RootKey } from '../types.ts'
import type { Revisions } from './revisions.ts'

type PerKeyring = 'name' | 'root' | 'allowedRegions' | 'minRevision' | 'minIndexRevision'

export interface KeyringsOptions extends Omit<KeyringOptions, PerKeyring> {
  /**
   * The root key of all keyrings, or of each by its name, so that a tenant can have one of its own. Asked
   * each time a keyring is opened: give the same object for the same key.
   */
  readonly root: RootKey | ((name: string) => RootKey)
  /** As for `openKeyring`, for all keyrings or for each by its name. */
  readonly allowedRegions?:
    readonly string[] | ((name: string) => readonly string[] | undefined) | undefined
  /** As for `openKeyring`, for each by its name. */
  readonly minRevision?: (name: string) => number | undefined
  /** As for `openKeyring`, for each by its name. */
  readonly minIndexRevision?: (name: string) => number | undefined
  /**
   * Keyrings open at once. The one that was not used for longest makes room, and its keys are let go.
   * Higher: fewer calls of root keys; lower: less memory, about 0.1 MB each, and `dekCache` on top.
   * 1 to 100,000. Default: 1,000.
   */
  readonly entries?: number
}

/** Of each keyring, unless the options say otherwise: many are open at once. */
const DEK_ENTRIES = 1000
const KEK_ENTRIES = 16

/** What the options say of each keyring, by its name. */
export class EachOptions {
  readonly clock: Clock
  /** Milliseconds after which the store is asked anew. */
  readonly refreshMs: number
  readonly #options: KeyringsOptions
  readonly #roots = new WeakMap<RootKey, GuardedRoot>()

  /** @throws {TypeError} for what is wrong for all of them. A root key by name can only be looked at later. */
  constructor(options: KeyringsOptions) {
    this.#options = options
    this.clock = options.clock ?? SYSTEM_CLOCK
    this.refreshMs =
      typeof options.root === 'function'
        ? number('refreshMs', options.refreshMs, 10_000, 100, 3_600_000)
        : this.of('default').refreshMs
  }

  /**
   * The options of one keyring.
   *
   * @param reached - how far it is known to have been.
   * @throws {TypeError} naming the option.
   */
  of(name: string, reached?: Revisions): CheckedOptions {
    const { root, allowedRegions, minRevision, minIndexRevision, ...others } = this.#options
    const regions = typeof allowedRegions === 'function' ? allowedRegions(name) : allowedRegions
    const revision = higher(minRevision?.(name), reached?.keks)
    const indexRevision = higher(minIndexRevision?.(name), reached?.index)
    return checkOptions({
      ...others,
      name,
      root: this.#guarded(typeof root === 'function' ? root(name) : root),
      dekCache: { entries: DEK_ENTRIES, ...others.dekCache },
      kekCache: { entries: KEK_ENTRIES, ...others.kekCache },
      ...(regions === undefined ? {} : { allowedRegions: regions }),
      ...(revision === undefined ? {} : { minRevision: revision }),
      ...(indexRevision === undefined ? {} : { minIndexRevision: indexRevision }),
    })
  }

  /** One circuit breaker for all keyrings under a root key. What is no root key is told so later. */
  #guarded(root: RootKey): RootKey {
    if (typeof (root as Partial<RootKey> | null)?.create !== 'function') return root
    let guarded = this.#roots.get(root)
    if (guarded === undefined) {
      guarded = GuardedRoot.around(root, guardLimits(this.#options), this.clock)
      this.#roots.set(root, guarded)
    }
    return guarded
  }
}

/** What is out of bounds stays so, and is refused. */
function higher(asked: number | undefined, reached = 0): number | undefined {
  return reached > (asked ?? 1) ? reached : asked
}
