import type { KeyState } from '@rowseal/prisma-extension/keys'
import type { RunDirectionOptions, RunReport } from '../engine/events.ts'
import type { Ran } from '../engine/run.ts'
import type { Target } from '../targets.ts'

export interface DrainReport extends RunReport {
  /** Former key versions that no value of any model is under any more: they may be retired, or destroyed if they leaked. */
  readonly drained: readonly {
    readonly keyring: string
    readonly keyId: number
    readonly state: KeyState
  }[]
  /** Are there keyrings of tenants? Then one key version takes a configuration with its keyring alone. */
  readonly isOfTenants?: true
}

/** The report of a run after which nothing is stale. @param isOfTenants - are there keyrings of tenants? */
export function withDrained(
  { report, targets }: Ran,
  { models, shard }: RunDirectionOptions,
  isOfTenants = false,
): DrainReport {
  const isWhole = report.outcome === 'done' && models === undefined && shard === undefined
  const drained = isWhole ? drainedKeys(targets) : []
  return { ...report, drained, ...(isOfTenants ? { isOfTenants } : {}) }
}

/** What every value of these has left, as of the last read of the key store. */
function drainedKeys(targets: readonly Target[]): DrainReport['drained'] {
  const keyrings = new Set(targets.flatMap(({ fields }) => fields.map(({ values }) => values)))
  return [...keyrings].flatMap((keyring) =>
    keyring
      .keys()
      .filter((row) => keyring.isStale(row.keyId))
      .filter(({ state }) => state === 'suspended' || state === 'compromised')
      .map(({ keyring: name, keyId, state }) => ({ keyring: name, keyId, state })),
  )
}
