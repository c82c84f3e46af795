import { activateIndexKey, addIndexKey } from '@rowseal/prisma-extension/keys'
import { contextOf, type MigratorConfig } from './config.ts'
import type { WaitEvent } from './reindex/options.ts'
import { chosenKeyring, versionOf, type RotateReport } from './rotate.ts'
import { pause, Waits } from './waits.ts'

export interface RotateIndexOptions {
  /** Name; may be left out if there is one. */
  readonly keyring?: string
  /** Do not wait until every instance has read the new key: there are none, or they were all started anew. Default: false. */
  readonly now?: boolean
  /** Ends the wait. The key stays stored, and the next call goes on with it. */
  readonly signal?: AbortSignal
  /** Called while it waits. Must not throw. */
  readonly onEvent?: (event: WaitEvent) => void
}

export interface RotateIndexReport extends RotateReport {
  /** `stopped`: the new key is stored, and not active yet. */
  readonly outcome: 'done' | 'stopped'
}

/**
 * Make a new index key active: store it, wait until every instance looks values up under it too, then let
 * them write under it. Values are still under the former one then: `reindex` moves them. Cut off between
 * the steps, it goes on with the same key when called again.
 *
 * @throws as `rotate`
 */
export async function rotateIndex(
  config: MigratorConfig,
  options: RotateIndexOptions = {},
): Promise<RotateIndexReport> {
  const { now = false, signal, onEvent } = options
  const keyring = chosenKeyring(contextOf(config), options.keyring)
  const waiting = await addIndexKey(keyring)
  const { maxAgeMs, name } = keyring.index
  const ms = now ? 0 : new Waits().left(name, maxAgeMs, waiting.createdAt)
  if (ms > 0) {
    onEvent?.({ type: 'wait', ms, reason: `until every instance has read key ${waiting.keyId}` })
    if (!(await pause(ms, signal))) {
      const active = keyring.index.keys().find(({ state }) => state === 'active')!
      const versions = { from: versionOf(active), to: versionOf(waiting) }
      return { keyring: keyring.name, outcome: 'stopped', ...versions }
    }
  }
  const { from, to } = await activateIndexKey(keyring)
  return { keyring: keyring.name, outcome: 'done', from: versionOf(from), to: versionOf(to) }
}
