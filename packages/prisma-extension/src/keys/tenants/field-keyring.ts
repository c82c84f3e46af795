import { KeyError } from '../../errors.ts'
import type { IndexKeys } from '../indexes/index-keys.ts'
import type { IndexView } from '../indexes/index-view.ts'
import type { Keyring } from '../keyring.ts'
import type { Keyrings } from './keyrings.ts'
import type { Opened } from '../memory/opener.ts'
import { isTenantKeyring } from './tenants.ts'
import type { Dek, Via, WrappedDek } from '../types.ts'
import type { KeyObject } from 'node:crypto'

/** What a sealed field needs of the keyring it is under: a `Keyring`, or one of those here. */
export interface FieldKeyring extends Pick<
  Keyring,
  | 'name'
  | 'forProtect'
  | 'lease'
  | 'forProcess'
  | 'forProcessEach'
  | 'isStale'
  | 'mayReplace'
  | 'refresh'
> {
  readonly index: Pick<IndexKeys, 'view' | 'refresh'>
}

/** Stands where a tenant's keyring would: seals, opens and hashes nothing. */
export class NoTenant implements FieldKeyring {
  readonly name = 'tenant'
  readonly index: FieldKeyring['index']
  readonly #problem: string

  /** @param problem - why there is no tenant, as a sentence. */
  constructor(problem: string) {
    this.#problem = problem
    this.index = {
      view: () => {
        throw this.error()
      },
      refresh: () => Promise.resolve(false),
    }
  }

  /** @param where - what was to be done. */
  error(where = ''): KeyError {
    return new KeyError('ERR_TENANT', `${where === '' ? '' : `${where}: `}${this.#problem}`, {
      fix: 'Run the operation, and await it, where `tenant` of rowseal({ tenant }) gives the id of the tenant.',
    })
  }

  forProtect(): Promise<Dek[]> {
    return Promise.reject(this.error())
  }

  lease(): () => boolean {
    return () => false
  }

  forProcess(): Promise<KeyObject[]> {
    return Promise.reject(this.error())
  }

  forProcessEach(): Promise<Opened[]> {
    return Promise.reject(this.error())
  }

  isStale(): boolean {
    return false
  }

  mayReplace(): boolean {
    return false
  }

  refresh(): Promise<boolean> {
    return Promise.resolve(false)
  }
}

const READS_ONLY =
  'Without `tenant` values of all tenants can be read, and nothing can be written or searched.'
/** Keyrings that one call reads at once. */
const CONCURRENCY = 8

/**
 * All tenants' keyrings as one, for reading: a value is opened by the keyring that its key id belongs to.
 * Writes are refused, since nothing says whose a value is to be.
 */
export class EveryTenant implements FieldKeyring {
  readonly name = 'tenant/*'
  readonly index: FieldKeyring['index']
  readonly #keyrings: Keyrings

  constructor(keyrings: Keyrings) {
    this.#keyrings = keyrings
    this.index = {
      view: (): IndexView => {
        throw this.#refused()
      },
      refresh: () => Promise.resolve(false),
    }
  }

  forProtect(): Promise<Dek[]> {
    return Promise.reject(this.#refused())
  }

  lease(): () => boolean {
    return () => false
  }

  async forProcess(wanted: readonly WrappedDek[], via?: Via): Promise<KeyObject[]> {
    const keys = await this.forProcessEach(wanted, via)
    for (const key of keys) if (key instanceof Error) throw key
    return keys as KeyObject[]
  }

  /** As of `Keyring`. A key id of no tenant gives `ERR_KEY_UNKNOWN` or `ERR_KEY_STATE` in its place. */
  async forProcessEach(
    wanted: readonly WrappedDek[],
    via?: Via,
    remember = true,
  ): Promise<Opened[]> {
    const opened = new Array<Opened>(wanted.length)
    const places = await this.#places(wanted, opened, via)
    const owners = [...places.keys()]
    const openNext = async (): Promise<void> => {
      for (let owner = owners.pop(); owner !== undefined; owner = owners.pop()) {
        const at = places.get(owner)!
        const keyring = await this.#keyrings.get(owner, via)
        const deks = at.map((place) => wanted[place]!)
        const keys = await keyring.forProcessEach(deks, via, remember)
        for (const [i, place] of at.entries()) opened[place] = keys[i]!
      }
    }
    const isAlone = via !== undefined // a transaction does one thing at a time
    const count = isAlone ? 1 : Math.min(CONCURRENCY, owners.length)
    await Promise.all(Array.from({ length: count }, openNext))
    return opened
  }

  /** What is read so is not re-encrypted: that is for the tenant's own reads, and for the migrator. */
  isStale(): boolean {
    return false
  }

  mayReplace(): boolean {
    return false
  }

  refresh(): Promise<boolean> {
    return Promise.resolve(false)
  }

  /** Places of the wanted DEKs by the tenant's keyring they are under; refusals go straight to their places. */
  async #places(
    wanted: readonly WrappedDek[],
    opened: Opened[],
    via: Via | undefined,
  ): Promise<Map<string, number[]>> {
    const places = new Map<string, number[]>()
    for (const [place, { keyId }] of wanted.entries()) {
      const owner = this.#keyrings.peekOwner(keyId) ?? (await this.#keyrings.ownerOf(keyId, via))
      if (owner === null || !isTenantKeyring(owner)) {
        opened[place] = this.#notOfTenant(keyId, owner)
        continue
      }
      const list = places.get(owner)
      if (list === undefined) places.set(owner, [place])
      else list.push(place)
    }
    return places
  }

  #notOfTenant(keyId: number, owner: string | null): KeyError {
    const { store } = this.#keyrings
    if (owner === null)
      return new KeyError('ERR_KEY_UNKNOWN', `Key ${keyId} is not in the ${store.name}.`, {
        fix: 'Connect the key store that sealed the value.',
      })
    return new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} belongs to keyring "${owner}", which is no tenant's: it may not open this value.`,
      { fix: `Open the value through keyring "${owner}", or find out who moved it here.` },
    )
  }

  #refused(): KeyError {
    return new KeyError('ERR_TENANT', READS_ONLY, {
      fix: 'Pass `tenant` to rowseal({ keyring, tenant }).',
    })
  }
}
