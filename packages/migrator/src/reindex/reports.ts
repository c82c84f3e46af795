import { phaseOf } from '@rowseal/prisma-extension/keys'
import type { Target, TargetIndex } from '../targets.ts'
import type { IndexReport } from './options.ts'
import { statesOf } from './states.ts'

/**
 * How far the indexes of a model are.
 *
 * @param pending - with something left to do.
 * @param blocked - with a value in quarantine.
 */
export async function indexReports(
  { indexes }: Target,
  pending: ReadonlySet<TargetIndex>,
  blocked: ReadonlySet<TargetIndex>,
): Promise<IndexReport[]> {
  const states = await statesOf(indexes)
  return states.map(({ index, record, next }) => ({
    index: index.label,
    isUnique: record.isUnique,
    isComplete: record.complete,
    phase: phaseOf(record),
    isDone: next === null && !pending.has(index) && !blocked.has(index),
  }))
}

/** Under what names values of an index stand in quarantine. */
export function namesOf({ field, columns: [first, second] }: TargetIndex): string[] {
  return [field.name, first.name, ...(second === null ? [] : [second.name])]
}
