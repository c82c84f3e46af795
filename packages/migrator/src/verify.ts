import { setImmediate as turn } from 'node:timers/promises'
import { decode, parseJson } from '@rowseal/prisma-extension/envelope'
import {
  presentCondition,
  readPage,
  type PageRow,
  type SealedColumn,
} from '@rowseal/prisma-extension/sql'
import { openContext, type Context, type MigratorConfig } from './config.ts'
import { asMigrationError } from './database-error.ts'
import { quarantined } from './engine/commit.ts'
import { integer } from './engine/options.ts'
import { collect, named, open, type BadSite } from './engine/values.ts'
import { noteFields } from './keys/fields.ts'
import type { Quarantined } from './runs/quarantine.ts'
import { countRows, loadTargets, type Target } from './targets.ts'
import { IndexChecks, refreshIndexes, type IndexVerification } from './verify-indexes.ts'

export interface VerifyOptions {
  readonly models?: readonly string[]
  /** Rows read at once. 1 to 5,000. Default: 500. */
  readonly batchRows?: number
  /** Bound on the stored values read at once. Bytes, 1 to 268,435,456. Default: 4 MiB. */
  readonly batchBytes?: number
  readonly signal?: AbortSignal
  readonly onEvent?: (event: VerifyEvent) => void
}

export type VerifyEvent =
  /** A model begins. `rows` with sealed fields that are not all NULL are counted before. */
  | { readonly type: 'model'; readonly model: string; readonly rows: number }
  /** Rows were read; `bad` of their values do not open, or are wrong values of an index. */
  | {
      readonly type: 'batch'
      readonly model: string
      readonly rows: number
      readonly bad: number
    }

export interface FieldVerification {
  readonly model: string
  readonly field: string
  /** Values opened, by key version; elements for lists. */
  readonly opened: readonly {
    readonly keyId: number
    readonly version: number | null
    readonly count: number
  }[]
  /** Values that do not open, by the error's code. */
  readonly bad: readonly { readonly code: string; readonly count: number }[]
  /** Values that are no envelopes, where the field allows it. */
  readonly plaintext: number
}

export interface VerifyReport {
  /** `incomplete`: some value does not open, or some index is not what it should be. */
  readonly outcome: 'done' | 'incomplete' | 'stopped'
  readonly fields: readonly FieldVerification[]
  readonly indexes: readonly IndexVerification[]
  readonly rows: number
  readonly opened: number
  /** Values that do not open. */
  readonly bad: number
  /** Values of blind indexes that are wrong, missing or left over. */
  readonly badIndexes: number
  /** The first bad values, for a person to look at: where, never what. All are in rowseal_quarantine. */
  readonly samples: readonly Quarantined[]
  readonly seconds: number
}

const MAX_SAMPLES = 20
/** What is remembered of a model's bad values; beyond, they are only counted. */
const MAX_RECORDED = 100_000

/**
 * Open every sealed value, and compare the blind indexes with it. What does not open or does not fit is
 * recorded in the quarantine, without content, in place of what was recorded before.
 *
 * @throws as `drain`.
 */
export async function verify(
  config: MigratorConfig,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const batchRows = integer('batchRows', options.batchRows ?? 500, 5_000)
  const batchBytes = integer('batchBytes', options.batchBytes ?? 4 * 1024 * 1024, 268_435_456)
  const context = await openContext(config)
  const began = performance.now()
  try {
    const store = await noteFields(context)
    const results: ModelResult[] = []
    for (const target of await loadTargets(context, options.models)) {
      await refreshIndexes(target)
      const result = new ModelResult(target)
      results.push(result)
      const rows = await countRows(context, target, presentCondition(columnsOf(target)))
      options.onEvent?.({ type: 'model', model: target.model, rows })
      const isComplete = await walk(context, { ...options, batchRows, batchBytes }, result)
      if (!isComplete) break
      const names = columnsOf(target).map(({ field }) => field)
      await store.quarantine.replace(target.model, names, result.recorded)
    }
    return reportOf(results, options.signal?.aborted === true, began)
  } catch (error) {
    throw asMigrationError(error, context.plan.provider === 'sqlite', 'try again')
  }
}

/** Read a table to its end. While a page is opened, the next one is read. */
async function walk(
  { client }: Context,
  options: VerifyOptions & { batchRows: number; batchBytes: number },
  result: ModelResult,
): Promise<boolean> {
  const { table, model } = result.target
  const columns = columnsOf(result.target)
  const read = (after: readonly string[] | null): ReturnType<typeof readPage> =>
    readPage(client, table, {
      columns,
      after,
      where: presentCondition(columns),
      maxRows: options.batchRows,
      maxBytes: options.batchBytes,
    })
  let page = await read(null)
  for (;;) {
    const last = page.rows.at(-1)
    const next = last === undefined || page.isLast ? null : read(last.key)
    next?.catch(() => undefined) // awaited below
    const bad = await result.take(page.rows)
    options.onEvent?.({ type: 'batch', model, rows: page.rows.length, bad })
    if (next === null) return true
    await turn()
    page = await next
    if (options.signal?.aborted === true) return false
  }
}

function columnsOf({ table }: Target): readonly SealedColumn[] {
  return [...table.sealed, ...table.indexes]
}

/** What was found in one model. */
class ModelResult {
  readonly target: Target
  readonly recorded: Quarantined[] = []
  rows = 0
  /** For each field: opened values by key id, bad values by code. */
  readonly #opened: Map<number, number>[]
  readonly #bad: Map<string, number>[]
  readonly #plaintext: number[]
  readonly #indexes: IndexChecks

  constructor(target: Target) {
    this.target = target
    this.#indexes = new IndexChecks(target)
    this.#opened = target.fields.map(() => new Map<number, number>())
    this.#bad = target.fields.map(() => new Map<string, number>())
    this.#plaintext = target.fields.map(() => 0)
  }

  /** Open the values of a page; gives the number of bad ones. */
  async take(rows: readonly PageRow[]): Promise<number> {
    const { fields } = this.target
    this.rows += rows.length
    const refused: BadSite[] = []
    const texts = new Map(
      this.target.indexes.map(({ field }) => [field.name, new Map<number, string>()]),
    )
    const onPlain = (row: number, field: number): void => {
      const { plaintext, seal } = fields[field]!.spec
      if (plaintext === 'allow' || seal === 'off') {
        this.#plaintext[field]!++
        texts.get(fields[field]!.name)?.set(row, rows[row]!.values[field] as string)
      } else refused.push({ row, field, code: 'ERR_PLAINTEXT_REFUSED' })
    }
    const { sites, bad } = collect(fields, rows, () => true, onPlain)
    const unopened = await open(fields, sites, (site, plaintext) => {
      const { spec, label } = fields[site.field]!
      const value = decode(spec.type, plaintext, label)
      if (spec.type === 'Json') parseJson(value as string, label)
      texts.get(fields[site.field]!.name)?.set(site.row, value as string)
      add(this.#opened[site.field]!, site.envelope.keyId)
    })
    const all = [...refused, ...bad, ...unopened]
    for (const { field, code } of all) add(this.#bad[field]!, code)
    const wrong = await this.#indexes.take(rows, texts)
    const room = MAX_RECORDED - this.recorded.length
    const entries = quarantined(this.target, rows, [...named(fields, all), ...wrong])
    this.recorded.push(...entries.slice(0, room))
    return all.length + wrong.length
  }

  indexes(): IndexVerification[] {
    return this.#indexes.results()
  }

  fields(): FieldVerification[] {
    return this.target.fields.map(({ name, values }, i) => {
      const versions = new Map(values.keys().map((row) => [row.keyId, row.version]))
      const opened = [...this.#opened[i]!].sort(([a], [b]) => a - b)
      return {
        model: this.target.model,
        field: name,
        opened: opened.map(([keyId, count]) => {
          return { keyId, version: versions.get(keyId) ?? null, count }
        }),
        bad: [...this.#bad[i]!].map(([code, count]) => ({ code, count })),
        plaintext: this.#plaintext[i]!,
      }
    })
  }
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function reportOf(
  results: readonly ModelResult[],
  isStopped: boolean,
  began: number,
): VerifyReport {
  const fields = results.flatMap((result) => result.fields())
  const sum = (parts: readonly { readonly count: number }[]): number =>
    parts.reduce((total, { count }) => total + count, 0)
  const indexes = results.flatMap((result) => result.indexes())
  const bad = sum(fields.flatMap((field) => field.bad))
  const badIndexes = sum(indexes.flatMap((index) => index.bad))
  return {
    outcome: isStopped ? 'stopped' : bad + badIndexes === 0 ? 'done' : 'incomplete',
    rows: results.reduce((total, { rows }) => total + rows, 0),
    opened: sum(fields.flatMap((field) => field.opened)),
    bad,
    badIndexes,
    seconds: Math.round(performance.now() - began) / 1000,
    fields,
    indexes,
    samples: results.flatMap((result) => result.recorded).slice(0, MAX_SAMPLES),
  }
}
