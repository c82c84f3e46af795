import type { ModelSource, Normalizer } from '@rowseal/prisma-extension/plan'

/** A blind index of the plan: one column, or two that a unique one rotates between. */
export interface PlannedIndex {
  /** `Model.column` of its first column, for messages. */
  readonly label: string
  /** Name of its record in the key store: the id of its first column. */
  readonly id: string
  /** The sealed field. */
  readonly field: string
  readonly normalize: readonly Normalizer[]
  readonly isUnique: boolean
  /** By slot: the first is `columns[0]`. */
  readonly columns: readonly [PlannedColumn, PlannedColumn | null]
}

export interface PlannedColumn {
  readonly name: string
  /** Name in the derivation of its subkey. */
  readonly id: string
}

/** The blind indexes of a model, in the order of the plan. */
export function indexesOf(model: string, source: ModelSource): PlannedIndex[] {
  const all = Object.entries(source.indexes)
  return all
    .filter(([, { slot }]) => slot === 1)
    .map(([name, { id, field, normalize, unique }]) => {
      const second = all.find(
        ([, other]) =>
          other.slot === 2 && other.field === field && other.normalize.join() === normalize.join(),
      )
      return {
        label: `${model}.${name}`,
        id,
        field,
        normalize,
        isUnique: unique,
        columns: [
          { name, id },
          second === undefined ? null : { name: second[0], id: second[1].id },
        ],
      }
    })
}
