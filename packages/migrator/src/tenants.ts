import type { Keyring, Keyrings } from '@rowseal/prisma-extension'
import {
  EveryTenant,
  TENANT_PREFIX,
  type KeyRow,
  type Opened,
  type WrappedDek,
} from '@rowseal/prisma-extension/keys'

/** What reports call the keyring of a field that is under each tenant's own. */
export const ALL_TENANTS = `${TENANT_PREFIX}*`
/** Keyrings that are opened at once. */
const CONCURRENCY = 8

/** What it takes to do something to one key version where there are keyrings of tenants, for people. */
export function alone(keyring: string): string {
  return `a configuration with \`keyring: await openKeyring({ name: '${keyring}', … })\``
}

/** What opening and moving the values of a sealed field takes: its keyring, or those of all tenants. */
export interface ValueKeyring extends Pick<
  Keyring,
  'name' | 'keys' | 'isStale' | 'staleKeyIds' | 'refresh' | 'verify' | 'forProcessEach'
> {
  /** The keyring, where there is one; null for those of all tenants. */
  readonly only: Keyring | null
  /** Those that seal, as last read. */
  open(): readonly Keyring[]
  /** The keyring that has a key id, as last read; null if none of them has. */
  holder(keyId: number): Keyring | null
}

/**
 * The keyrings of all tenants, as the one that a field is under. Each value stays in the keyring that its
 * key id belongs to. Keyrings that are closed seal nothing, so none of their values is stale.
 */
export class AllTenants implements ValueKeyring {
  readonly name = ALL_TENANTS
  readonly only = null
  readonly #keyrings: Keyrings
  readonly #every: EveryTenant
  readonly #members = new Map<string, Keyring>()
  #byKeyId: ReadonlyMap<number, Keyring> = new Map()

  constructor(keyrings: Keyrings) {
    this.#keyrings = keyrings
    this.#every = new EveryTenant(keyrings)
  }

  /** By name, as last read. */
  get members(): ReadonlyMap<string, Keyring> {
    return this.#members
  }

  /** Read them all, those made since included. */
  async refresh(): Promise<boolean> {
    const names = [...(await this.#keyrings.names(TENANT_PREFIX))]
    const readNext = async (): Promise<void> => {
      for (let name = names.pop(); name !== undefined; name = names.pop()) {
        const known = this.#members.get(name)
        if (known === undefined) this.#members.set(name, await this.#keyrings.get(name))
        else await known.refresh()
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, readNext))
    const members = [...this.#members.values()]
    this.#byKeyId = new Map(
      members.flatMap((keyring) => keyring.keys().map(({ keyId }) => [keyId, keyring] as const)),
    )
    return members.length > 0
  }

  /** Unwrap the active key of each that has something to move. */
  async verify(): Promise<void> {
    for (const keyring of this.#members.values())
      if (isOpen(keyring) && keyring.staleKeyIds().length > 0) await keyring.verify()
  }

  keys(): readonly KeyRow[] {
    return [...this.#members.values()].flatMap((keyring) => keyring.keys())
  }

  isStale(keyId: number): boolean {
    const keyring = this.holder(keyId)
    return keyring !== null && isOpen(keyring) && keyring.isStale(keyId)
  }

  staleKeyIds(): readonly number[] {
    return [...this.#members.values()]
      .filter(isOpen)
      .flatMap((keyring) => [...keyring.staleKeyIds()])
  }

  open(): readonly Keyring[] {
    return [...this.#members.values()].filter(isOpen)
  }

  holder(keyId: number): Keyring | null {
    return this.#byKeyId.get(keyId) ?? null
  }

  forProcessEach(
    wanted: readonly WrappedDek[],
    _via?: undefined,
    remember?: boolean,
  ): Promise<Opened[]> {
    return this.#every.forProcessEach(wanted, undefined, remember)
  }
}

function isOpen(keyring: Keyring): boolean {
  return keyring.keys().some(({ state }) => state === 'active')
}

/** One keyring, as the one that a field is under. */
export function single(keyring: Keyring): ValueKeyring {
  return {
    name: keyring.name,
    only: keyring,
    keys: () => keyring.keys(),
    isStale: (keyId) => keyring.isStale(keyId),
    staleKeyIds: () => keyring.staleKeyIds(),
    refresh: () => keyring.refresh(),
    verify: () => keyring.verify(),
    forProcessEach: (wanted, via, remember) => keyring.forProcessEach(wanted, via, remember),
    open: () => [keyring],
    holder: () => keyring,
  }
}
