import { KeyError } from '../../errors.ts'
import type { Plan } from '../../plan/index.ts'
import { initIndexKeys } from '../indexes/index-lifecycle.ts'
import { completeIndex, registerIndex } from '../indexes/index-register.ts'
import type { Keyring } from '../keyring.ts'
import { initKeyring } from '../lifecycle/lifecycle.ts'
import { isTenantKeyring } from './tenants.ts'
import { MAX_TRIES } from '../lifecycle/versions.ts'

/** Name in a plan of the keyring that fields are under whose annotation names none. */
export const DEFAULT_KEYRING = 'default'

/** Name in a plan of the keyring that a keyring stands for: fields without one are each tenant's. */
export function plannedName(keyring: string): string {
  return isTenantKeyring(keyring) ? DEFAULT_KEYRING : keyring
}

/**
 * Make a keyring and its index keys, and register its blind indexes:
 *
 *   index keys → indexes, not complete → the keyring → indexes complete, if nothing can be sealed under it yet
 *
 * so that there is no moment at which a value can be sealed without an index that is said to be complete.
 *
 * @returns whether this call made the keyring.
 * @throws {KeyError} as `initKeyring` and `registerIndex`.
 */
export async function provision(keyring: Keyring, plan?: Plan): Promise<{ created: boolean }> {
  for (let tries = 1; ; tries++) {
    try {
      return await make(keyring, plan)
    } catch (error) {
      const isConflict = error instanceof KeyError && error.code === 'ERR_KEYRING_CONFLICT'
      if (!isConflict || tries === MAX_TRIES) throw error
    }
  }
}

async function make(keyring: Keyring, plan: Plan | undefined): Promise<{ created: boolean }> {
  const indexes = plan === undefined ? [] : indexesUnder(plan, plannedName(keyring.name))
  if (indexes.length > 0) await initIndexKeys(keyring)
  const lacking: string[] = []
  for (const { isStrict, ...index } of indexes) {
    const { record } = await registerIndex(keyring, { ...index, complete: false })
    if (isStrict && !record.complete) lacking.push(record.id)
  }
  const { created } = await initKeyring(keyring)
  if (created || isUnused(keyring)) for (const id of lacking) await completeIndex(keyring, id)
  if (lacking.length > 0) await keyring.index.refresh()
  return { created }
}

/** DEKs that the root key wraps are counted by nobody. */
function isUnused(keyring: Keyring): boolean {
  return keyring.keys().every(({ suite, uses }) => suite === 0x01 && uses === 0)
}

interface IndexUnder {
  readonly id: string
  readonly normalize: readonly string[]
  readonly isUnique: boolean
  /** May its field not hold plaintext, which somebody may have written who does not know of the index? */
  readonly isStrict: boolean
}

/** The blind indexes of the fields that are under one keyring, by the name it has in the plan. */
export function indexesUnder({ models }: Plan, keyring: string): readonly IndexUnder[] {
  return Object.values(models).flatMap(({ sealed, indexes }) =>
    Object.values(indexes)
      .filter(({ slot, field }) => slot === 1 && sealed[field]?.keyring === keyring)
      .map(({ id, normalize, unique, field }) => ({
        id,
        normalize,
        isUnique: unique,
        isStrict: sealed[field]?.plaintext === 'refuse',
      })),
  )
}
