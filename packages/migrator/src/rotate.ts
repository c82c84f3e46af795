import type { Keyring } from '@rowseal/prisma-extension'
import {
  activateIndexKey,
  activateKey,
  addIndexKey,
  addKey,
  type KeyRow,
} from '@rowseal/prisma-extension/keys'
import { openOne, type Context, type MigratorConfig } from './config.ts'
import { dueReasons, type DueOptions, type DueReason } from './due.ts'
import type { WaitEvent } from './engine/events.ts'
import { pause, Waits } from './waits.ts'

/** How often it is tried again when somebody changes the keyring in another way at the same moment. */
const MAX_TRIES = 10

export interface RotateOptions extends DueOptions {
  /** Name; may be left out if there is one. */
  readonly keyring?: string
  /** Do not wait until every instance has read the new key: there are none, or they were all started anew. Default: false. */
  readonly now?: boolean
  /** Do nothing unless a rotation is due. For schedulers: of several at once, one rotates. Default: false. */
  readonly ifDue?: boolean
  /** Ends the wait. The key stays stored, and the next call goes on with it. */
  readonly signal?: AbortSignal
  /** Called while it waits. Must not throw. */
  readonly onEvent?: (event: WaitEvent) => void
}

export interface RotateReport {
  readonly keyring: string
  /** `stopped`: the new key is stored, and not active yet. `not-due`: nothing was done. */
  readonly outcome: 'done' | 'stopped' | 'not-due'
  /** The version that was active. */
  readonly from: { readonly keyId: number; readonly version: number }
  /** The version that is active now, or waits; `from` if nothing was done. */
  readonly to: { readonly keyId: number; readonly version: number }
  /** False if somebody else, at the same time, made it active. */
  readonly isOurs: boolean
  /** With `ifDue`: why. */
  readonly due: readonly DueReason[]
}

/**
 * Make a new key version active: store it, wait until every instance can open what is sealed under it, then let
 * them seal under it. Values sealed before are then stale: `drain` moves them. Cut off between the steps, it
 * goes on with the same key when called again.
 *
 * @throws {TypeError} if no keyring is called so, or there are several and none was named.
 * @throws {KeyError} `ERR_KEYRING_MISSING` `ERR_KEYRING_CONFLICT` (retryable) `ERR_KEY_UNAVAILABLE`
 *   (retryable) `ERR_KEY_MISMATCH` `ERR_STORE_TAMPERED`
 */
export async function rotate(
  config: MigratorConfig,
  options: RotateOptions = {},
): Promise<RotateReport> {
  const keyring = chosenKeyring(await openOne(config, options.keyring), options.keyring)
  return rotateRing(keyring, KEKS, options)
}

/**
 * The same for the keys of blind indexes: wait until every instance looks values up under the new one too, then
 * let them write under it. Values are still under the former one then: `reindex` moves them.
 *
 * @throws as `rotate`
 */
export async function rotateIndex(
  config: MigratorConfig,
  options: RotateOptions = {},
): Promise<RotateReport> {
  const keyring = chosenKeyring(await openOne(config, options.keyring), options.keyring)
  return rotateRing(keyring, INDEX_KEYS, options)
}

/** KEKs or index keys. */
interface Kind {
  readonly refresh: (keyring: Keyring) => Promise<boolean>
  readonly keys: (keyring: Keyring) => readonly KeyRow[]
  /** Key id that the head names; null if there is none. */
  readonly active: (keyring: Keyring) => number | null
  readonly add: typeof addKey
  readonly activate: typeof activateKey
}

const KEKS: Kind = {
  refresh: (keyring) => keyring.refresh(),
  keys: (keyring) => keyring.keys(),
  active: (keyring) => keyring.activeKeyId,
  add: addKey,
  activate: activateKey,
}

const INDEX_KEYS: Kind = {
  refresh: ({ index }) => index.refresh(),
  keys: ({ index }) => index.keys(),
  active: ({ index }) => index.stats()?.activeKeyId ?? null,
  add: addIndexKey,
  activate: activateIndexKey,
}

/** Everything is tied to the version that was active at first: of several at once one gets through. */
async function rotateRing(
  keyring: Keyring,
  kind: Kind,
  options: RotateOptions,
): Promise<RotateReport> {
  await kind.refresh(keyring)
  const from = activeOf(keyring, kind)
  const due = options.ifDue === true ? dueReasons(kind.keys(keyring), options) : []
  const report = (outcome: RotateReport['outcome'], to: KeyRow, isOurs: boolean): RotateReport => {
    const versions = { from: versionOf(from ?? to), to: versionOf(to) }
    return { keyring: keyring.name, outcome, ...versions, isOurs, due }
  }
  if (options.ifDue === true && due.length === 0 && from !== undefined)
    return report('not-due', from, false)
  for (let tries = 1; ; tries++) {
    try {
      const waiting = await kind.add(keyring, from?.keyId)
      if (!(await distributed(keyring, waiting, options))) return report('stopped', waiting, true)
      const step = from === undefined ? undefined : { from: from.keyId, to: waiting.keyId }
      return report('done', (await kind.activate(keyring, step)).to, true)
    } catch (error) {
      if (!isConflict(error)) throw error
      await kind.refresh(keyring)
      const now = activeOf(keyring, kind)
      if (now !== undefined && now.keyId !== from?.keyId) return report('done', now, false)
      if (tries === MAX_TRIES) throw error
    }
  }
}

function activeOf(keyring: Keyring, kind: Kind): KeyRow | undefined {
  const keyId = kind.active(keyring)
  return kind.keys(keyring).find((row) => row.keyId === keyId)
}

/** Wait until every instance has had time to read a key. @returns false if told to stop. */
export async function distributed(
  { index: { maxAgeMs } }: Keyring,
  { keyId, createdAt }: KeyRow,
  { now, signal, onEvent }: Pick<RotateOptions, 'now' | 'signal' | 'onEvent'>,
): Promise<boolean> {
  const ms = now === true ? 0 : new Waits().left('', maxAgeMs, createdAt)
  if (ms === 0) return true
  onEvent?.({ type: 'wait', ms, reason: `until every instance has read key ${keyId}` })
  return pause(ms, signal)
}

function isConflict(error: unknown): boolean {
  return (Object(error) as { code?: unknown }).code === 'ERR_KEYRING_CONFLICT'
}

/** @throws {TypeError} if no keyring is called so, or there are several and none was named. */
export function chosenKeyring({ keyrings }: Context, name: string | undefined): Keyring {
  const names = [...keyrings.keys()].join(', ')
  const [only] = keyrings.size === 1 ? keyrings.values() : []
  const keyring = name === undefined ? only : keyrings.get(name)
  if (keyring === undefined)
    throw new TypeError(
      name === undefined
        ? `Name the keyring with --keyring: ${names}.`
        : `There is no keyring "${name}". There are: ${names}.`,
    )
  return keyring
}

function versionOf({ keyId, version }: KeyRow): RotateReport['to'] {
  return { keyId, version }
}
