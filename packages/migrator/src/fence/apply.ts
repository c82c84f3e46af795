import {
  addFenceStatements,
  dropFenceStatements,
  validateFenceStatements,
  type FencePart,
  type FoundFence,
  type SqlTransaction,
} from '@rowseal/prisma-extension/sql'
import type { MigratorConfig } from '../config.ts'
import { isCheckViolation } from '../database-error.ts'
import { MigrationError } from '../errors.ts'
import { asFenceError } from './errors.ts'
import {
  assertUnused,
  countFenced,
  fenceJob,
  foundFences,
  type FenceJob,
  type FenceTarget,
} from './job.ts'
import {
  checkFenceOptions,
  NO_TIMEOUT_MS,
  withTable,
  type CheckedFenceOptions,
  type FenceOptions,
} from './locks.ts'
import { columnsOf, keyInUse, reportOf, type FencedColumn, type FenceReport } from './report.ts'

export interface AppliedFence extends FenceReport {
  /** Names of the fences that this call put up. */
  readonly added: readonly string[]
}

/**
 * Make the database refuse every value under a key version, and have it proven that there is none: nothing
 * under that key can come back, whoever sealed it and whenever. Idempotent. What this call has put up it
 * takes down again if a value turns up meanwhile.
 *
 * @param keyId - of a KEK or an index key that is neither active nor about to be.
 * @returns the proof per column: `isProven` is true.
 * @throws {MigrationError} `ERR_KEY_IN_USE` with `counts` while values are under the key;
 *   `ERR_DATABASE_FAILED` (retryable if transactions were in the way) `ERR_DATABASE_BUSY`
 *   `ERR_PLAN_DATABASE` `ERR_CONFIG_INVALID`
 * @throws {KeyError} `ERR_KEY_STATE` if instances write under it, `ERR_KEY_UNKNOWN`
 */
export async function applyFence(
  config: MigratorConfig,
  keyId: number,
  options: FenceOptions = {},
): Promise<AppliedFence> {
  const checked = checkFenceOptions(options)
  try {
    const job = await fenceJob(config, keyId)
    assertUnused(job)
    const added: Added = new Map()
    try {
      return await fenceAll(job, checked, added)
    } catch (error) {
      if (error instanceof MigrationError && error.code === 'ERR_KEY_IN_USE')
        await takeDown(job, checked, added)
      throw error
    }
  } catch (error) {
    throw asFenceError(error, config.plan.provider, keyId)
  }
}

/** What this call has put up, by table. */
type Added = Map<FenceTarget, readonly FoundFence[]>

async function fenceAll(
  job: FenceJob,
  options: CheckedFenceOptions,
  added: Added,
): Promise<AppliedFence> {
  await assertNoneLeft(job, job.targets)
  const columns: FencedColumn[] = []
  for (const target of job.targets) {
    const missing = (await foundFences(job, target)).filter(({ state }) => state !== 'holds')
    added.set(target, missing)
    if (missing.length > 0) await fenceTable(job, target, options, missing)
    columns.push(...(await proven(job, target)))
  }
  const names = [...added.values()].flatMap((all) => all.map(({ fence }) => fence.name))
  return { ...reportOf(job, columns), added: names }
}

/** @throws {MigrationError} `ERR_KEY_IN_USE` */
async function assertNoneLeft(
  job: FenceJob,
  targets: readonly FenceTarget[],
  client: Parameters<typeof countFenced>[0] = job.context.client,
): Promise<void> {
  const counts: Record<string, number> = {}
  for (const target of targets)
    for (const [i, count] of (await countFenced(client, target)).entries())
      counts[`${target.model}.${target.fences[i]!.field}`] = count
  if (Object.values(counts).some((count) => count > 0)) throw keyInUse(job, counts)
}

/**
 * Put up fences. Then everybody who wrote before is done, and nobody can write any more: is anything there?
 * SQLite has one writer, so there both are of one moment.
 */
async function fenceTable(
  job: FenceJob,
  target: FenceTarget,
  options: CheckedFenceOptions,
  missing: readonly FoundFence[],
): Promise<void> {
  const { client, plan } = job.context
  const statements = replaceStatements(target, missing)
  if (plan.provider === 'sqlite') {
    const all = async (tx: SqlTransaction): Promise<void> => {
      for (const sql of statements) await tx.$executeRawUnsafe(sql)
      await assertNoneLeft(job, [target], tx)
    }
    return client.$transaction(all, { timeout: NO_TIMEOUT_MS })
  }
  await withTable(job, target, options, statements)
  if (plan.provider === 'mysql') return assertNoneLeft(job, [target])
  return validate(job, target, missing)
}

/** Put up what is not there, in the place of what is something else. */
function replaceStatements(
  { table, source }: FenceTarget,
  missing: readonly FoundFence[],
): string[] {
  const parts = missing.flatMap((fence) => fence.parts)
  const namesOf = (state: string): FencePart[] =>
    parts.filter((part) => part.state === state).map(({ part }) => part)
  const altered = namesOf('altered')
  return [
    ...dropFenceStatements(
      table,
      source,
      altered.map(({ name }) => name),
    ),
    ...addFenceStatements(table, [...altered, ...namesOf('absent')]),
  ]
}

/** PostgreSQL looks itself, beside other writers, and remembers. */
async function validate(
  job: FenceJob,
  target: FenceTarget,
  missing: readonly FoundFence[],
): Promise<void> {
  const fences = missing.map(({ fence }) => fence)
  const all = async (tx: SqlTransaction): Promise<void> => {
    await tx.$executeRawUnsafe('SET LOCAL statement_timeout = 0')
    for (const sql of validateFenceStatements(target.table, fences)) await tx.$executeRawUnsafe(sql)
  }
  try {
    await job.context.client.$transaction(all, { timeout: NO_TIMEOUT_MS })
  } catch (error) {
    if (!isCheckViolation(error)) throw error
    await assertNoneLeft(job, [target])
    const problem = `A value under key ${job.keyId} was there while ${target.model} was fenced.`
    throw new MigrationError('ERR_KEY_IN_USE', problem, {
      fix: 'Run the command again.',
      retryable: true,
    })
  }
}

/** What was put up too early, now or before, would keep others from updating rows with such values. */
async function takeDown(job: FenceJob, options: CheckedFenceOptions, added: Added): Promise<void> {
  for (const target of job.targets) {
    const own = new Set(added.get(target)?.map(({ fence }) => fence.name))
    const found = await foundFences(job, target)
    const names = found
      .filter(({ fence, state }) => own.has(fence.name) || state === 'unproven')
      .flatMap(({ parts }) => parts.filter(({ state }) => state !== 'absent'))
      .map(({ part }) => part.name)
    const statements = dropFenceStatements(target.table, target.source, names)
    await withTable(job, target, options, statements)
  }
}

/** What the catalog says after all. */
async function proven(job: FenceJob, target: FenceTarget): Promise<FencedColumn[]> {
  const found = await foundFences(job, target)
  const columns = columnsOf(target, found, [])
  const wrong = columns.find(({ state }) => state !== 'holds')
  if (wrong === undefined) return columns
  throw new MigrationError(
    'ERR_DATABASE_FAILED',
    `${wrong.model}.${wrong.field}: the fence ${wrong.fence} was put up, but the database shows it as ${wrong.state}.`,
    {
      fix: 'Give the user of the migrator the right to see constraints and triggers, and see that nobody else changes them.',
      field: `${wrong.model}.${wrong.field}`,
    },
  )
}
