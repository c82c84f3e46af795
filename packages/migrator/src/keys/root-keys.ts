import type { Keyring } from '@rowseal/prisma-extension'
import type { RootKeyInfo } from '@rowseal/prisma-extension/keys'

/** What the provider says of a root key that key versions are wrapped by, or will be. */
export interface RootKeyStatus {
  readonly rootKeyId: string
  readonly provider: string
  /** Does it wrap new keys? */
  readonly isCurrent: boolean
  /** Null if the provider did not say. */
  readonly state: RootKeyInfo['state'] | null
  readonly region: string | null
  readonly deletionAt: string | null
  /** Null if the provider does not rotate it, or did not say. */
  readonly rotation: {
    readonly isAutomatic: boolean
    readonly periodDays: number | null
    readonly nextAt: string | null
    readonly lastAt: string | null
  } | null
  /** Why the provider did not say; null if it did. */
  readonly error: { readonly code: string | null; readonly message: string } | null
}

/**
 * Ask the providers about the root keys of keyrings. What a provider refuses to say is in `error`; nothing is
 * thrown for it.
 */
export async function rootKeysOf(keyrings: Iterable<Keyring>): Promise<RootKeyStatus[]> {
  const found = new Map<string, RootKeyStatus>()
  for (const keyring of keyrings) {
    const current = await describe(keyring)
    found.set(current.rootKeyId, current)
    for (const id of rootKeyIds(keyring))
      if (!found.has(id)) found.set(id, await describe(keyring, id))
  }
  return [...found.values()].filter(({ rootKeyId, error }) => rootKeyId !== '' || error !== null)
}

/** Ids of the root keys under which a keyring has KEKs or index keys. */
export function rootKeyIds(keyring: Keyring): ReadonlySet<string> {
  const rows = [...keyring.keys(), ...keyring.index.keys()]
  return new Set(
    rows.filter(({ state }) => state !== 'destroyed').map(({ rootKeyId }) => rootKeyId),
  )
}

/** @param id - of one that was used before; undefined for the one that wraps new keys. */
async function describe({ root }: Keyring, id?: string): Promise<RootKeyStatus> {
  const isCurrent = id === undefined
  try {
    const { rootKeyId, state, region, deletionAt, rotation } = await root.describe(id)
    return {
      rootKeyId,
      provider: root.provider,
      isCurrent,
      state,
      region,
      deletionAt: deletionAt?.toISOString() ?? null,
      rotation: rotation && {
        ...rotation,
        nextAt: rotation.nextAt?.toISOString() ?? null,
        lastAt: rotation.lastAt?.toISOString() ?? null,
      },
      error: null,
    }
  } catch (error) {
    const { code, message } = Object(error) as { code?: unknown; message?: unknown }
    const why = { code: typeof code === 'string' ? code : null, message: String(message ?? error) }
    const unknown = { state: null, region: null, deletionAt: null, rotation: null }
    return { rootKeyId: id ?? '', provider: root.provider, isCurrent, ...unknown, error: why }
  }
}
