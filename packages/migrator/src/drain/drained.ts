import type { KeyState } from '@rowseal/prisma-extension/keys'
import { asMigrationError } from '../database-error.ts'
import type { RunDirectionOptions, RunReport } from '../engine/events.ts'
import type { Ran } from '../engine/run.ts'
import { unplannedFields, type UnplannedField } from '../keys/unplanned.ts'
import type { Target } from '../targets.ts'
import { alone } from '../tenants.ts'

export interface DrainReport extends RunReport {
  /** Former key versions that no value of any model is under any more: they may be retired, or destroyed if they leaked. */
  readonly drained: readonly {
    readonly keyring: string
    readonly keyId: number
    readonly state: KeyState
    /** Where there are keyrings of tenants: what ending it takes in place of a command, for people. */
    readonly takes?: string
  }[]
  /** Sealed values of fields that left the plan, which no drain moves; none are looked for where some are stale. */
  readonly unplanned: readonly UnplannedField[]
}

/** The report of a run after which nothing is stale. */
export function withDrained(
  { report, targets }: Pick<Ran, 'report' | 'targets'>,
  options: RunDirectionOptions,
  unplanned: readonly UnplannedField[] = [],
): DrainReport {
  if (!isWhole(report, options)) return { ...report, drained: [], unplanned: [] }
  const used = new Set(unplanned.flatMap(({ keys }) => keys.map(({ keyId }) => keyId)))
  const drained = drainedKeys(targets).filter(({ keyId }) => !used.has(keyId))
  return { ...report, drained, unplanned }
}

/**
 * The report of a run, with what it could not move because the plan does not have the field.
 *
 * @param isOfTenants - are there keyrings of tenants?
 */
export async function reportDrained(
  ran: Ran,
  options: RunDirectionOptions,
  isOfTenants: boolean,
): Promise<DrainReport> {
  const report = await ofWholePlan(ran, options)
  if (!isOfTenants) return report
  return {
    ...report,
    drained: report.drained.map((key) => ({ ...key, takes: alone(key.keyring) })),
  }
}

async function ofWholePlan(ran: Ran, options: RunDirectionOptions): Promise<DrainReport> {
  const { report, context } = ran
  if (!isWhole(report, options)) return withDrained(ran, options)
  const unplanned = await unplannedFields(context).catch((error: unknown) => {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'run the command again')
  })
  return withDrained(ran, options, unplanned)
}

function isWhole({ outcome }: RunReport, { models, shard }: RunDirectionOptions): boolean {
  return outcome === 'done' && models === undefined && shard === undefined
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
