import type { Check } from './checks.ts'
import type { Options } from './options.ts'
import { count, type Printer } from './print.ts'
import { SPOIL } from './spoil.ts'
import { check } from './steps/check.ts'
import { drainRest } from './steps/drain.ts'
import { look } from './steps/look.ts'
import { prepare } from './steps/prepare.ts'
import { readSome } from './steps/read.ts'
import { rotateKey } from './steps/rotate.ts'
import { write } from './steps/write.ts'
import { createStopwatch } from './stopwatch.ts'
import { readUpdatedAt } from './updated-at.ts'

/** What a run is given. */
export interface World {
  readonly options: Options
  /** All that the run leaves on disk is below it. */
  readonly folder: string
  readonly print: Printer
  /** What was printed so far. */
  readonly printed: () => Buffer
  /** To be called at the end, last first. */
  readonly onClose: (close: () => Promise<unknown>) => void
}

/** What `--json` prints. */
export interface Facts {
  readonly ok: boolean
  readonly database: string
  readonly patients: number
  readonly rows: Readonly<Record<string, number>>
  readonly sealedValues: number
  readonly keyIds: { readonly before: number; readonly after: number }
  readonly lazy: { readonly rowsRead: number; readonly rowsFresh: number }
  readonly drain: { readonly rows: number; readonly rowsPerSecond: number }
  readonly status: { readonly stale: number }
  /** By table, SHA-256 over all rows as they were made and as they were read back. */
  readonly digests: Readonly<
    Record<string, { readonly written: string; readonly read: string | null }>
  >
  readonly checks: readonly Check[]
  readonly seconds: Readonly<Record<string, number>>
}

export async function runDemo(world: World): Promise<Facts> {
  const { options, print } = world
  const watch = createStopwatch()
  print.title(`Rowseal: a clinic with ${count(options.patients)} patients`)
  const site = await watch.time('prepare', () => prepare(world))
  const written = await watch.time('write', () => write(site))
  await watch.time('look', () => look(site))
  const before = await watch.time('updatedAt', () => readUpdatedAt(site.app.client))
  const rotation = await watch.time('rotate', () => rotateKey(site))
  const lazy = await watch.time('read', () => readSome(site, rotation.after))
  const drained = await watch.time('drain', () => drainRest(site))
  for (const name of options.breaks) await SPOIL[name](site)
  const checked = await watch.time('check', () => check(site, { written, before, lazy }))

  const failed = checked.checks.filter(({ ok }) => !ok)
  const facts: Facts = {
    ok: failed.length === 0,
    database: site.database.name,
    patients: options.patients,
    rows: Object.fromEntries([...written].map(([model, { rows }]) => [model, rows])),
    sealedValues: rotation.values,
    keyIds: { before: rotation.before, after: rotation.after },
    lazy: { rowsRead: lazy.rowsRead, rowsFresh: lazy.rowsFresh },
    drain: drained,
    ...checked,
    seconds: watch.seconds(),
  }
  summarise(facts, print)
  return facts
}

function summarise({ checks, seconds, sealedValues, rows, database }: Facts, print: Printer): void {
  const { total, ...steps } = seconds
  const sum = Object.values(rows).reduce((a, b) => a + b, 0)
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name)
  print.title(
    failed.length === 0
      ? `All ${checks.length} checks passed.`
      : `${failed.length} of ${checks.length} checks FAILED: ${failed.join(', ')}.`,
  )
  print.line(
    `   ${count(sum)} rows with ${count(sealedValues)} sealed values on ${database}, in ${total} s:`,
  )
  print.dim(
    Object.entries(steps)
      .map(([name, took]) => `${name} ${took.toFixed(1)}`)
      .join(' · '),
  )
}
