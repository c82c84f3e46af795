import { constants } from 'node:fs'
import { access, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { MigratorConfig } from '../config.ts'
import type { RunDirectionOptions, RunEvent, RunReport } from '../engine/events.ts'
import { planRun, type PlannedDirection } from '../plan/plan.ts'
import { failedReport } from '../report/failed.ts'
import { factsOf } from '../report/facts.ts'
import { htmlReport } from '../report/page.ts'
import { RunRecorder } from '../report/recorder.ts'
import { given } from '../given.ts'
import { optionsOf, refuseBeside, type Command, type Result } from './command.ts'
import { say } from './output.ts'
import { exitCodeAfter, type ProofFlags } from './proof-flags.ts'
import { ProgressBars } from './progress.ts'
import { renderRunPlan } from './render-plan.ts'
import type { Interruption } from './signals.ts'
import { version } from './version.ts'

/** A direction as the command line knows it. */
export interface Runnable<R extends RunReport> {
  readonly direction: PlannedDirection
  readonly run: (config: MigratorConfig, options: RunDirectionOptions) => Promise<R>
  /** @param isOfAll - of all models, and not of some that were named? */
  readonly render: (report: R, isOfAll: boolean) => string
}

/** A plan of it, or the run with progress and reports, as the flags say. */
export async function runDirectionBy<R extends RunReport>(
  runnable: Runnable<R>,
  ...[config, flags, interruption]: Parameters<Command<ProofFlags>>
): Promise<Result> {
  const options = { ...optionsOf(flags, interruption), ...given({ proof: flags.proof }) }
  if (flags.dryRun === true) {
    refuseBeside('--dry-run', { '--report': flags.report, '--shard': flags.shard })
    const plan = await planRun(config, runnable.direction, options)
    return { document: plan, text: renderRunPlan(plan), exitCode: 0 }
  }
  const file = flags.report === undefined ? null : await assertWritable(flags.report)
  const bars = new ProgressBars()
  const recorder = new RunRecorder()
  const onEvent = (event: RunEvent): void => {
    recorder.onEvent(event)
    bars.onEvent(event)
  }
  const pageFacts = factsOf(options, versionsOf(config))
  const report = await runnable
    .run(config, { ...options, onEvent })
    .finally(bars.stop)
    .catch(async (error: unknown) => {
      const recording = recorder.recording()
      // Whoever misuses it has run nothing.
      const isMisuse = error instanceof TypeError && recording.models.length === 0
      if (file !== null && !isMisuse)
        await write(file, failedReport(runnable.direction, error, recording, pageFacts))
      throw error
    })
  const result = resultOf(runnable, report, flags, interruption)
  if (file === null || (await write(file, htmlReport(report, recorder.recording(), pageFacts))))
    return result
  return { ...result, exitCode: result.exitCode || 1 }
}

/** What became of the run matters more than whether the page could be written. */
async function write(file: string, page: string): Promise<boolean> {
  try {
    await writeFile(file, page)
    say(`The report is in ${file}.`)
    return true
  } catch (error) {
    say(
      `The report could not be written to ${file}: ${String((error as { code?: unknown }).code)}.`,
    )
    return false
  }
}

function versionsOf({ plan }: MigratorConfig): Record<string, string> {
  return { Rowseal: version(), Node: process.versions.node, Database: plan.provider }
}

function resultOf<R extends RunReport>(
  { render }: Runnable<R>,
  report: R,
  { model }: ProofFlags,
  interruption: Interruption,
): Result {
  const text = render(report, model === undefined)
  return { document: report, text, exitCode: exitCodeAfter(report, interruption) }
}

/** @throws {TypeError} before anything is run, if the report could not be written there. */
async function assertWritable(file: string): Promise<string> {
  const path = resolve(file)
  try {
    await access(dirname(path), constants.W_OK)
    if ((await stat(path).catch(() => null))?.isDirectory() === true) throw new Error('a folder')
    return path
  } catch {
    throw new TypeError(`--report: ${file} cannot be written.`)
  }
}
