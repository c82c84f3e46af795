import { unreadableOf, type UnreadableValues } from '../drain/destroyed.ts'
import type { BadSite } from '../engine/values.ts'
import type { Checkpoint } from '../runs/checkpoint.ts'
import type { Target } from '../targets.ts'
import type { CheckedIndexes } from './indexes.ts'
import type { FieldVerification, IndexVerification } from './options.ts'

// What a verify counts, as a checkpoint holds it:
//
//   rows                       looked at
//   opened <field> <key id>    values, elements for lists
//   bad <field> <code>         values that do not open
//   destroyed <field> <key id> those of them that are under a destroyed key
//   plain <field>              values that are no envelopes, where that is allowed
//   index <column> right       values of a blind index, by its first column
//   index <column> <code>      rows with a wrong one, none or one left over

type Counts = Readonly<Record<string, number>>

/** Counts what is in one page. */
export class PageTally {
  readonly #target: Target
  /** For each field: opened values by key id. */
  readonly #opened: Map<number, number>[]
  /** The same of those under destroyed keys. */
  readonly #destroyed: Map<number, number>[]
  readonly #plaintext: number[]

  constructor(target: Target) {
    this.#target = target
    this.#opened = target.fields.map(() => new Map<number, number>())
    this.#destroyed = target.fields.map(() => new Map<number, number>())
    this.#plaintext = target.fields.map(() => 0)
  }

  opened(field: number, keyId: number): void {
    increment(this.#opened[field]!, keyId)
  }

  destroyed(field: number, keyId: number): void {
    increment(this.#destroyed[field]!, keyId)
  }

  plaintext(field: number): void {
    this.#plaintext[field]!++
  }

  of(rows: number, bad: readonly BadSite[], indexes: CheckedIndexes): Checkpoint['tally'] {
    const { fields, indexes: all } = this.#target
    const tally: Record<string, number> = { rows }
    const count = (name: string, by = 1): void => {
      if (by > 0) tally[name] = (tally[name] ?? 0) + by
    }
    for (const [i, { name }] of fields.entries()) {
      for (const [keyId, n] of this.#opened[i]!) count(`opened ${name} ${keyId}`, n)
      for (const [keyId, n] of this.#destroyed[i]!) count(`destroyed ${name} ${keyId}`, n)
      count(`plain ${name}`, this.#plaintext[i])
    }
    for (const { field, code } of bad) count(`bad ${fields[field]!.name} ${code}`)
    for (const [i, n] of indexes.right.entries()) count(`index ${all[i]!.columns[0].name} right`, n)
    for (const { index, code } of indexes.bad) count(`index ${index.columns[0].name} ${code}`)
    return tally
  }
}

/** What a tally says of each field of a model. */
export function fieldsOf({ model, fields }: Target, tally: Counts): FieldVerification[] {
  return fields.map(({ name, values }) => {
    const versions = new Map(values.keys().map((row) => [row.keyId, row.version]))
    const opened = byKey(tally, `opened ${name} `).map(({ keyId, count }) => {
      return { keyId, version: versions.get(keyId) ?? null, count }
    })
    return {
      model,
      field: name,
      opened,
      bad: named(tally, `bad ${name} `).map(([code, count]) => ({ code, count })),
      plaintext: tally[`plain ${name}`] ?? 0,
    }
  })
}

/** What a tally says of values under keys that are destroyed. */
export function destroyedIn(target: Target, tally: Counts): UnreadableValues[] {
  const fields = target.fields.map(({ name: field }) => {
    return { field, versions: byKey(tally, `destroyed ${field} `) }
  })
  return unreadableOf([target], [{ model: target.model, fields }])
}

/** What a tally says of each blind index of a model. */
export function indexesOf({ model, indexes }: Target, tally: Counts): IndexVerification[] {
  return indexes.map(({ label, columns: [first] }) => {
    const counts = named(tally, `index ${first.name} `)
    return {
      model,
      index: label,
      right: counts.find(([what]) => what === 'right')?.[1] ?? 0,
      bad: counts.filter(([what]) => what !== 'right').map(([code, count]) => ({ code, count })),
    }
  })
}

/** Rows that a tally says were looked at. */
export function rowsOf(tally: Counts): number {
  return tally['rows'] ?? 0
}

function byKey(tally: Counts, prefix: string): { keyId: number; count: number }[] {
  return named(tally, prefix)
    .map(([id, count]) => ({ keyId: Number(id), count }))
    .sort((a, b) => a.keyId - b.keyId)
}

function increment(counts: Map<number, number>, keyId: number): void {
  counts.set(keyId, (counts.get(keyId) ?? 0) + 1)
}

function named(tally: Counts, prefix: string): [what: string, count: number][] {
  return Object.entries(tally)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, count]) => [name.slice(prefix.length), count])
}
