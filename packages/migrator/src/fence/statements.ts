import {
  addFenceStatements,
  dropFenceStatements,
  fencedRowsStatement,
  validateFenceStatements,
} from '@rowseal/prisma-extension/sql'
import type { Provider } from '@rowseal/prisma-extension/plan'
import type { MigratorConfig } from '../config.ts'
import { asFenceError } from './errors.ts'
import { assertUnused, fenceJob, foundFences, type FenceJob, type FenceTarget } from './job.ts'
import { checkFenceOptions, withTable, type FenceOptions } from './locks.ts'

/** SQL of fences, for people to read and to run themselves. */
export interface FenceStatements {
  /** `<name>/index` for an index key. */
  readonly keyring: string
  readonly keyId: number
  readonly provider: Provider
  /** Take each table for a moment. Run with a short lock time-out. Empty if there is nothing to do. */
  readonly change: readonly string[]
  /** PostgreSQL: looks through the tables, beside other writers. */
  readonly validate: readonly string[]
  /** To be run after all others; every number must be 0. */
  readonly count: readonly string[]
}

/**
 * The statements that put up what is missing of the fences against a key version.
 *
 * @throws as `applyFence`, except `ERR_KEY_IN_USE`.
 */
export function fenceStatements(config: MigratorConfig, keyId: number): Promise<FenceStatements> {
  return read(config, keyId, async (job) => {
    assertUnused(job)
    const change: string[] = []
    const validate: string[] = []
    for (const target of job.targets) {
      const { table, source } = target
      const missing = (await foundFences(job, target)).filter(({ state }) => state !== 'holds')
      const parts = missing.flatMap((fence) => fence.parts)
      const altered = parts.filter(({ state }) => state === 'altered')
      const wanted = parts.filter(({ state }) => state === 'absent' || state === 'altered')
      change.push(
        ...dropFenceStatements(
          table,
          source,
          altered.map(({ part }) => part.name),
        ),
        ...addFenceStatements(
          table,
          wanted.map(({ part }) => part),
        ),
      )
      validate.push(
        ...validateFenceStatements(
          table,
          missing.map(({ fence }) => fence),
        ),
      )
    }
    const count = job.targets.map(({ table, fences }) => fencedRowsStatement(table, fences))
    return { ...named(job), change, validate, count }
  })
}

/** The statements that take down what there is of the fences against a key version. */
export function unfenceStatements(config: MigratorConfig, keyId: number): Promise<FenceStatements> {
  return read(config, keyId, async (job) => {
    const change: string[] = []
    for (const target of job.targets) change.push(...(await dropsOf(job, target)))
    return { ...named(job), change, validate: [], count: [] }
  })
}

/**
 * Take down the fences against a key version, so that values under it can be written again: before a rotation
 * is rolled back.
 *
 * @returns the statements that were run.
 * @throws as `fenceStatus`
 */
export async function removeFence(
  config: MigratorConfig,
  keyId: number,
  options: FenceOptions = {},
): Promise<string[]> {
  const checked = checkFenceOptions(options)
  return read(config, keyId, async (job) => {
    const done: string[] = []
    for (const target of job.targets) {
      const statements = await dropsOf(job, target)
      await withTable(job, target, checked, statements)
      done.push(...statements)
    }
    return done
  })
}

async function dropsOf(job: FenceJob, target: FenceTarget): Promise<string[]> {
  const found = await foundFences(job, target)
  const names = found
    .flatMap(({ parts }) => parts.filter(({ state }) => state !== 'absent'))
    .map(({ part }) => part.name)
  return dropFenceStatements(target.table, target.source, names)
}

function named({
  context,
  keyId,
  row,
}: FenceJob): Pick<FenceStatements, 'keyring' | 'keyId' | 'provider'> {
  return { keyring: row.keyring, keyId, provider: context.plan.provider }
}

async function read<T>(
  config: MigratorConfig,
  keyId: number,
  run: (job: FenceJob) => Promise<T>,
): Promise<T> {
  try {
    return await run(await fenceJob(config, keyId))
  } catch (error) {
    throw asFenceError(error, config.plan.provider, keyId)
  }
}
