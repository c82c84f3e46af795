import type { Keyring } from '@rowseal/prisma-extension'
import {
  baseKeyringOf,
  isTenantKeyring,
  MAX_USES,
  type IndexRecord,
  type KeyRow,
  type KeyState,
} from '@rowseal/prisma-extension/keys'
import { ageDaysOf, dueReasons, type DueOptions, type DueReason } from './due.ts'
import type { RootKeyStatus } from './keys/root-keys.ts'
import { alone } from './tenants.ts'

export interface KeyStatus {
  /** `<name>/index` for the keys of blind indexes. */
  readonly keyring: string
  readonly keyId: number
  readonly version: number
  readonly state: KeyState
  readonly createdAt: string
  /** Days since the version became active; null if it never was. */
  readonly ageDays: number | null
  /** DEKs that it wrapped at most. Index keys wrap none. */
  readonly uses: number
  /** Part of the uses that a KEK may have: 0 to 1. */
  readonly usedShare: number
  readonly rootKeyId: string
  /** Values under it, in all fields of this plan, and in those that left it. */
  readonly values: number
  /** It opens nothing, and may be deleted from then on. */
  readonly destroyAt: string | null
  /** Why it should be rotated. */
  readonly due: readonly DueReason[]
  /** What somebody should do about it. */
  readonly tasks: readonly KeyTask[]
}

export interface KeyTask {
  /**
   * `leaked`: values are under a compromised key. `pinned`: a unique index is under a former one. `unused`:
   * nothing is under a former one. `ended`: its waiting period is over. `ending`: it opens nothing. `root-key`:
   * the root key is not enabled, or is a former one.
   */
  readonly code: 'leaked' | 'pinned' | 'unused' | 'ended' | 'ending' | 'root-key'
  /** For people. */
  readonly text: string
  /** To be run; null where there is nothing to be run. */
  readonly command: string | null
}

export interface KeyringStatus {
  readonly keyring: string
  /** To be kept outside of the store, as `minRevision` (for index keys `minIndexRevision`) of `openKeyring`. */
  readonly revision: number
  /** False if it seals nothing any more. */
  readonly isOpen: boolean
}

/** What was seen besides the keys. */
export interface Seen {
  /** Values by key id. */
  readonly counts: ReadonlyMap<number, number>
  /** Of all models? Else nothing is said to be unused. */
  readonly isWhole: boolean
  /** Are there keyrings of tenants? Then one key version takes a configuration with its keyring alone. */
  readonly isOfTenants: boolean
  readonly rootKeys: readonly RootKeyStatus[]
}

export function keyStatuses(keyring: Keyring, seen: Seen, options: DueOptions): KeyStatus[] {
  const records = keyring.index.records()
  const live = keyring.keys().filter(({ state }) => state !== 'destroyed')
  const isEnding = live.every(({ destroyAt }) => destroyAt !== null)
  const statuses = (rows: readonly KeyRow[], isIndex: boolean): KeyStatus[] => {
    const due = dueReasons(rows, options)
    // Those of tenants' indexes are not counted.
    const isCounted = seen.isWhole && !(isIndex && isTenantKeyring(keyring.name))
    return rows.map((row) => {
      const values = seen.counts.get(row.keyId) ?? 0
      const tasks = tasksOf(row, values, isIndex ? records : null, isEnding)
      return {
        keyring: row.keyring,
        keyId: row.keyId,
        version: row.version,
        state: row.state,
        createdAt: row.createdAt.toISOString(),
        ageDays: ageDaysOf(row),
        uses: row.uses,
        usedShare: row.uses / MAX_USES,
        rootKeyId: row.rootKeyId,
        values,
        destroyAt: row.destroyAt?.toISOString() ?? null,
        due: row.state === 'active' ? due : [],
        tasks: [
          ...tasks.filter(({ code }) => isCounted || code !== 'unused'),
          ...rootKeyTasks(row, seen.rootKeys),
        ].map((task) => (seen.isOfTenants ? amongTenants(task, keyring.name) : task)),
      }
    })
  }
  return [...statuses(keyring.keys(), false), ...statuses(keyring.index.keys(), true)]
}

/** What the command of a task is for, where it is refused as long as there are keyrings of tenants. */
const REFUSED: readonly (readonly [command: RegExp, purpose: string])[] = [
  [/ keys retire \d+$/, 'retire'],
  [/ keys destroy \d+$/, 'destroy'],
  [/ keys destroy \d+ --cancel$/, 'keep'],
  [/ keys rewrap$/, 're-wrap'],
]

/** The same task with what it takes there. */
function amongTenants(task: KeyTask, keyring: string): KeyTask {
  const { code, text, command } = task
  if (command === null) return task
  const purpose = REFUSED.find(([refused]) => refused.test(command))?.[1]
  if (purpose !== undefined)
    return { code, text: `${text}; to ${purpose} it takes ${alone(keyring)}`, command: null }
  if (!command.endsWith(' reindex')) return task
  return { code, text: `${text}; nothing moves them yet where there are tenants`, command: null }
}

export function keyringStatuses(keyring: Keyring): KeyringStatus[] {
  const { index } = keyring
  const isOpen = (rows: readonly KeyRow[]): boolean => rows.some(({ state }) => state === 'active')
  const keks = {
    keyring: keyring.name,
    revision: keyring.stats().revision ?? 0,
    isOpen: isOpen(keyring.keys()),
  }
  const revision = index.stats()?.revision
  if (revision === undefined) return [keks]
  return [keks, { keyring: index.name, revision, isOpen: isOpen(index.keys()) }]
}

/**
 * @param indexes - the records of blind indexes; null for a KEK.
 * @param isEnding - do all versions of the keyring end together?
 */
function tasksOf(
  { keyId, keyring, state, destroyAt }: KeyRow,
  values: number,
  indexes: readonly IndexRecord[] | null,
  isEnding: boolean,
): KeyTask[] {
  const destroy = `npx rowseal keys destroy ${isEnding ? `--keyring ${baseKeyringOf(keyring)}` : keyId}`
  const reindex = 'npx rowseal reindex'
  if (destroyAt !== null) {
    const isOver = destroyAt <= new Date()
    const day = destroyAt.toISOString().slice(0, 10)
    const text = isOver
      ? 'its waiting period is over'
      : `it opens nothing, and may be deleted after ${day}`
    return isOver
      ? [{ code: 'ended', text, command: destroy }]
      : [{ code: 'ending', text, command: `${destroy} --cancel` }]
  }
  const isLeaked = state === 'compromised'
  if (!isLeaked && state !== 'suspended') return []
  if (isLeaked && values > 0) {
    const text = `it leaked, and ${values.toLocaleString('en-US')} values are under it`
    const command = indexes === null ? 'npx rowseal drain' : reindex
    return [{ code: 'leaked', text, command }]
  }
  const pins = (indexes ?? []).filter(({ keys }) => keys.includes(keyId)).map(({ id }) => id)
  if (pins.length > 0) {
    const text = `${isLeaked ? 'it leaked, and ' : ''}unique indexes are under it: ${pins.join(', ')}`
    return [{ code: 'pinned', text, command: reindex }]
  }
  if (values > 0) return []
  const text = 'nothing is under it'
  return isLeaked
    ? [{ code: 'unused', text: `it leaked, and ${text}`, command: destroy }]
    : [{ code: 'unused', text, command: `npx rowseal keys retire ${keyId}` }]
}

function rootKeyTasks(row: KeyRow, rootKeys: readonly RootKeyStatus[]): KeyTask[] {
  const rootKey = rootKeys.find(({ rootKeyId }) => rootKeyId === row.rootKeyId)
  if (rootKey === undefined || row.state === 'destroyed') return []
  const { state, error, isCurrent } = rootKey
  if (error !== null)
    return [{ code: 'root-key', text: `its root key: ${error.code ?? 'no answer'}`, command: null }]
  if (state !== 'enabled' && state !== null)
    return [{ code: 'root-key', text: `its root key is ${state}`, command: null }]
  // DEKs of suite 0x02 are under the root key in the values themselves.
  if (isCurrent || row.suite === 0x02) return []
  return [
    {
      code: 'root-key',
      text: 'it is under a former root key',
      command: 'npx rowseal keys rewrap',
    },
  ]
}
