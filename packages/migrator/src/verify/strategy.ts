import { decode, parseJson } from '@rowseal/prisma-extension/envelope'
import { presentCondition, type PageRow, type SealedColumn } from '@rowseal/prisma-extension/sql'
import { destroyedOf } from '../drain/destroyed.ts'
import type { Batch, Change, Strategy } from '../engine/strategy.ts'
import { collect, named, open, type BadSite, type Site } from '../engine/values.ts'
import type { Target } from '../targets.ts'
import { checkIndexes, refreshIndexes, type CheckedIndexes } from './indexes.ts'
import { PageTally } from './tally.ts'

/**
 * Open every sealed value, and compare the blind indexes with it. Nothing is written.
 *
 * @throws {KeyError} `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE`
 */
export async function verifyPass(target: Target): Promise<Strategy> {
  for (const values of new Set(target.fields.map((field) => field.values))) await values.refresh()
  await refreshIndexes(target)
  return verifyStrategy(target)
}

export function verifyStrategy(target: Target): Strategy {
  const columns = columnsOf(target)
  return {
    target: `verify ${JSON.stringify(columns.map(({ field }) => field))}`,
    columns,
    where: presentCondition(columns),
    prepare: (rows) => verifyRows(target, rows),
    write: () => Promise.resolve(0),
  }
}

function columnsOf({ table }: Target): readonly SealedColumn[] {
  return [...table.sealed, ...table.indexes]
}

async function verifyRows(target: Target, rows: readonly PageRow[]): Promise<Batch<Change>> {
  const { fields, indexes } = target
  const tally = new PageTally(target)
  const refused: BadSite[] = []
  const texts = new Map(indexes.map(({ field }) => [field.name, new Map<number, string>()]))
  const onPlain = (row: number, field: number): void => {
    const { spec, name } = fields[field]!
    if (spec.plaintext === 'allow' || spec.seal === 'off') {
      tally.plaintext(field)
      texts.get(name)?.set(row, rows[row]!.values[field] as string)
    } else refused.push({ row, field, code: 'ERR_PLAINTEXT_REFUSED' })
  }
  const { sites, bad } = collect(fields, rows, () => true, onPlain)
  const unopened = await open(fields, sites, (site, plaintext) => {
    const { spec, label, name } = fields[site.field]!
    const value = decode(spec.type, plaintext, label)
    if (spec.type === 'Json') parseJson(value as string, label)
    texts.get(name)?.set(site.row, value as string)
    tally.opened(site.field, site.envelope.keyId)
  })
  tallyDestroyed(target, sites, unopened, tally)
  const all = [...refused, ...bad, ...unopened]
  const checked: CheckedIndexes = await checkIndexes(target, rows, texts)
  return {
    changes: [],
    bad: [...named(fields, all), ...checked.bad],
    tally: tally.of(rows.length, all, checked),
  }
}

/** Of the values that do not open, those whose key is destroyed. */
function tallyDestroyed(
  { fields }: Target,
  sites: readonly Site[],
  unopened: readonly BadSite[],
  tally: PageTally,
): void {
  const bad = unopened.filter(({ code }) => code === 'ERR_KEY_STATE')
  if (bad.length === 0) return
  const places = new Set(bad.map(({ row, field }) => `${row} ${field}`))
  const destroyed = fields.map(
    ({ values }) => new Set(destroyedOf(values).map(({ keyId }) => keyId)),
  )
  for (const { row, field, envelope } of sites)
    if (places.has(`${row} ${field}`) && destroyed[field]!.has(envelope.keyId))
      tally.destroyed(field, envelope.keyId)
}
