import type { RefusalCode } from '../refusals.ts'
import { NOTHING, type PassCounts } from './counts.ts'
import type { BadValue, Batch, Change, Strategy } from './strategy.ts'

/** Rows of a page that are committed together, `from` up to and without `to`. */
export interface Slice<C extends Change> extends Batch<C> {
  readonly from: number
  readonly to: number
  /** What a unique blind index has refused: the rows that hold the value are looked for. */
  readonly refused: C | null
  /** Are the rows done with it? Else the checkpoint stays before them. */
  readonly isLast: boolean
  /** Of a part of a row: the row. */
  readonly row: DividedRow | null
}

/** A row that is written in parts. */
export interface DividedRow {
  /** What parts of it that were committed have added. */
  counts: PassCounts
}

/** As two, or as it is if it has one change. */
export function halved<C extends Change>(slice: Slice<C>): Slice<C>[] {
  const { changes, bad, from, to, isLast } = slice
  if (changes.length < 2) return [slice]
  const middle = Math.ceil(changes.length / 2)
  const at = changes[middle]!.row
  const isBefore = ({ row }: BadValue): boolean => row < at
  const [refused, row] = [null, null]
  const first = { changes: changes.slice(0, middle), bad: bad.filter(isBefore), from, to: at }
  const rest = bad.filter((value) => !isBefore(value))
  const second = { ...slice, changes: changes.slice(middle), bad: rest, from: at, to }
  return [
    { ...first, refused, row, isLast: true },
    { ...second, refused, row, isLast },
  ]
}

/**
 * What is tried in the place of a slice that was refused: its halves; of one row its fields, each alone; of one
 * field nothing but a note. So a slice of n rows with b bad fields takes about b · log n more transactions, and
 * never more than two for each row and each field.
 */
export function divided<C extends Change>(
  strategy: Strategy<C>,
  slice: Slice<C>,
  refusal: RefusalCode,
): Slice<C>[] {
  const { changes, bad, isLast } = slice
  if (changes.length > 1) return halved(slice)
  const change = changes[0]!
  const isDuplicate = refusal === 'ERR_UNIQUE_VIOLATION'
  const row = slice.row ?? { counts: NOTHING }
  const pieces = piecesOf(strategy, change, isDuplicate)
  if (pieces.length > 1)
    return pieces.map((piece, i) => {
      const isEnd = i === pieces.length - 1
      const rest = isEnd ? slice : { ...slice, bad: [], tally: {} }
      return { ...rest, changes: [piece], refused: null, row, isLast: isLast && isEnd }
    })
  const duplicate = isDuplicate ? (strategy.duplicates?.refused(change) ?? null) : null
  const refused = duplicate === null ? null : change
  const field = strategy.parts?.fieldOf(change) ?? strategy.columns[0]!.field
  const value = duplicate ?? { row: change.row, field, code: refusal }
  return [{ ...slice, changes: [], refused, row, bad: [...bad, value] }]
}

function piecesOf<C extends Change>(
  { parts, duplicates }: Strategy<C>,
  change: C,
  isDuplicate: boolean,
): readonly C[] {
  const pieces = isDuplicate ? duplicates?.split(change) : undefined
  return pieces !== undefined && pieces.length > 1 ? pieces : (parts?.split(change) ?? [change])
}

/** What a slice adds to the counts of a pass: a row in parts counts once. */
export function counted<C extends Change>({ row }: Slice<C>, found: PassCounts): PassCounts {
  if (row === null) return found
  const added = (name: keyof PassCounts): number => Math.min(found[name], 1 - row.counts[name])
  return {
    rows: added('rows'),
    superseded: added('superseded'),
    quarantined: added('quarantined'),
  }
}
