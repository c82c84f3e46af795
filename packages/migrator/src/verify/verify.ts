import { openContext, type MigratorConfig } from '../config.ts'
import { asMigrationError } from '../database-error.ts'
import { checkRunOptions } from '../engine/options.ts'
import { noteFields } from '../keys/fields.ts'
import { unplannedFields } from '../keys/unplanned.ts'
import { openObserver, type Observer } from '../observe/observer.ts'
import { openRunPace } from '../pace/open.ts'
import { loadTargets } from '../targets.ts'
import { verifyModel, type Verified } from './model-run.ts'
import type { VerifyOptions, VerifyReport } from './options.ts'
import { verifyReport } from './report.ts'

/**
 * Open every sealed value, and compare the blind indexes with it. What does not open or does not fit is
 * recorded in the quarantine, without content; an entry goes away once its row was found good, or is gone. Can be
 * stopped or killed at any moment and run again, and beside a run that writes.
 *
 * @throws {MigrationError} as `drain`; a run that was begun under another plan is begun anew.
 * @throws {KeyError} if the key store or the root key cannot be used.
 * @throws {TypeError} for an option out of bounds, or a model that does not exist.
 */
export async function verify(
  config: MigratorConfig,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const observer = await openObserver()
  return observer.span('rowseal.run', { 'rowseal.direction': 'verify' }, (within) => {
    return verifyObserved(config, options, within)
  })
}

async function verifyObserved(
  config: MigratorConfig,
  options: VerifyOptions,
  observer: Observer,
): Promise<VerifyReport> {
  checkRunOptions(options)
  if ('queue' in options) throw new TypeError('queue: workers take no verify; share it with shard.')
  const context = await openContext(config)
  const began = new Date()
  try {
    const store = await noteFields(context)
    const targets = await loadTargets(context, options.models)
    const pace = await openRunPace(context, options, observer.throttled)
    const models: Verified[] = []
    for (const target of targets) {
      if (options.signal?.aborted === true) break
      const attributes = { 'rowseal.model': target.model }
      models.push(
        await observer.span('rowseal.model', attributes, (within) => {
          return verifyModel({ context, store, target, pace, options, observer: within })
        }),
      )
    }
    const isStopped = models.length < targets.length
    const isWhole = !isStopped && options.models === undefined && options.shard === undefined
    const unplanned = isWhole ? await unplannedFields(context) : []
    return verifyReport(models, isStopped, began, unplanned)
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', GO_ON)
  }
}

const GO_ON = 'run `npx rowseal verify` again: it goes on where it ended'
