import { decode, parseBytes, parseText, type Envelope } from '@rowseal/prisma-extension/envelope'
import { RawJson, type ColumnScalar, type PageRow } from '@rowseal/prisma-extension/sql'
import { examine } from '../encrypt/plaintext.ts'
import type { Target } from '../targets.ts'
import { failed } from './failed.ts'
import { isSameJson } from './same-json.ts'
import type { Batch, Change, IndexProof, Strategy, StrategyField } from '../engine/strategy.ts'
import { elements, open, type Site } from '../engine/values.ts'

/** A value that changes (an element, for a list): what was read, and what is to be written. */
interface Pair {
  readonly row: number
  /** Place among the strategy's fields. */
  readonly at: number
  readonly old: ColumnScalar
  readonly next: ColumnScalar
  readonly indexes: readonly unknown[]
}

/**
 * Open the very values that a batch is about to write, with their DEKs unwrapped anew, and compare them with
 * what was read: the plaintext is the same, byte for byte, and blind indexes are those of it. Whether the
 * database then holds those values is for `readBack` to say.
 *
 * @throws {MigrationError} `ERR_PROOF_FAILED`
 * @throws {KeyError} what concerns all values, such as `ERR_KEY_UNAVAILABLE`.
 */
export async function proveBatch<C extends Change>(
  target: Target,
  strategy: Strategy<C>,
  rows: readonly PageRow[],
  { changes }: Batch<C>,
): Promise<void> {
  const { fields = [] } = strategy
  const pairs = fields.flatMap((field, at) =>
    changes.flatMap((change) => pairsOf(field, at, rows, change)),
  )
  const indexProofs = await Promise.all(fields.map(async (field) => field.indexProof?.()))
  const before = await plaintexts(target, fields, rows, pairs, 'old')
  try {
    const after = await plaintexts(target, fields, rows, pairs, 'next')
    try {
      for (const [i, pair] of pairs.entries())
        assertProved(
          fields[pair.at]!,
          pair,
          before[i] ?? null,
          after[i] ?? null,
          indexProofs[pair.at],
        )
    } finally {
      for (const bytes of after) bytes?.fill(0)
    }
  } finally {
    for (const bytes of before) bytes?.fill(0)
  }
}

function pairsOf<C extends Change>(
  { field, places, ...each }: StrategyField<C>,
  at: number,
  rows: readonly PageRow[],
  change: C,
): Pair[] {
  const values = each.next(change)
  if (values === null) return []
  const { row } = change
  const [olds, nexts] = [rows[row]!.values[places[0]!] ?? null, values[0] ?? null].map(elements)
  if (olds!.length !== nexts!.length) throw failed(field.label, 'has another number of elements')
  return olds!.flatMap((old, i) => {
    const value = nexts![i] ?? null
    if (old === value) return []
    if (old === null || value === null) throw failed(field.label, 'comes or goes')
    return [{ row, at, old, next: value, indexes: values.slice(1) }]
  })
}

/** The plaintext of each; null for what is not what it should be. */
async function plaintexts<C extends Change>(
  { table: { provider } }: Target,
  fields: readonly StrategyField<C>[],
  rows: readonly PageRow[],
  pairs: readonly Pair[],
  which: 'old' | 'next',
): Promise<(Buffer | null)[]> {
  const result: (Buffer | null)[] = pairs.map(() => null)
  const sites: Site[] = []
  for (const [i, pair] of pairs.entries()) {
    const { field, becomes } = fields[pair.at]!
    const value = pair[which]
    const envelope = envelopeOf(value)
    const { row, at } = pair
    if (which === 'next' && (envelope === null) !== (becomes === 'plaintext')) continue
    if (envelope !== null) {
      sites.push({ row, field: at, element: i, envelope, bound: rows[row]!.bound })
      continue
    }
    const found = examine(provider, field, value)
    if (found.kind === 'plaintext') result[i] = found.bytes
  }
  const targets = fields.map(({ field }) => field)
  await open(targets, sites, ({ element }, plaintext) => {
    result[element] = Buffer.from(plaintext)
  })
  return result
}

function envelopeOf(value: ColumnScalar): Envelope | null {
  try {
    if (typeof value === 'string') return parseText(value)
    return value instanceof RawJson ? null : parseBytes(value)
  } catch {
    return null // `examine` says that it is broken
  }
}

function assertProved(
  { field, becomes }: StrategyField,
  { indexes }: Pair,
  before: Buffer | null,
  after: Buffer | null,
  indexProof: IndexProof | undefined,
): void {
  if (before === null || after === null)
    throw failed(field.label, becomes === 'sealed' ? 'does not open' : 'is not what was opened')
  const isJson = field.spec.type === 'Json' && becomes === 'plaintext'
  const isSame =
    before.equals(after) || (isJson && isSameJson(decode('Json', before), decode('Json', after)))
  if (!isSame) throw failed(field.label, 'stands for another value than was read')
  if (indexProof?.(decode('String', after), indexes as never) === false)
    throw failed(field.label, 'has a blind index that is not its own')
}
