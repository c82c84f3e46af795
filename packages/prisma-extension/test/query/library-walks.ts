import { beforeAll, expect } from 'vitest'
import type { Current } from '../../src/query/index.ts'
import { LIBRARY, planOf } from './clinic.ts'
import { walksOf, type WalkOptions, type Walks } from './walks.ts'

/** Text in an id: its comparison may find another spelling on MySQL. */
const SHELF = {
  Shelf: {
    columns: { id: 'Int', name: 'String', isOpen: 'Boolean', kind: 'Kind', note: 'String', flag: 'String' }, // prettier-ignore
    sealed: { note: { bind: ['name'] }, flag: { bind: ['isOpen'] } },
    bound: {
      name: { type: 'String', maxChars: 3 },
      isOpen: { type: 'Boolean', default: false },
      kind: { type: 'Enum' },
    },
  },
} as const

/** Two ids of notes. */
export const A = '00000000-0000-4000-8000-00000000000a'
export const B = '00000000-0000-4000-8000-00000000000b'

/** A record as it was read, by the texts of its bound columns. */
export const read = (texts: Record<string, string>): { current: Current } => ({
  current: { state: 'read', texts },
})

/** Walks over arguments of the library, opened before the tests of the file that calls this. */
export function atLibrary() {
  let walks: Walks
  beforeAll(async () => {
    walks = await walksOf(planOf(LIBRARY))
  })
  return walksBehind(() => walks)
}

/** The same of shelves on MySQL. */
export function atShelves() {
  let walks: Walks
  beforeAll(async () => {
    walks = await walksOf(planOf(SHELF, 'mysql'))
  })
  return walksBehind(() => walks)
}

function walksBehind(walks: () => Walks) {
  const collect: Walks['collect'] = (...given) => walks().collect(...given)
  const sent: Walks['sent'] = (...given) => walks().sent(...given)
  /** What each value of the collected arguments is bound to, by its field. */
  const bound = (
    model: string,
    operation: string,
    args: object,
    options?: WalkOptions,
  ): Record<string, string[]> =>
    Object.fromEntries(
      collect(model, operation, args, options).sites.sites.map(({ field, bound }) => [
        field.label,
        bound.map((part) => part.toString()),
      ]),
    )
  return { walks, collect, sent, bound }
}

/** The error of arguments that do not say what a value is bound to. */
export const refused = (field: string, message?: string): unknown =>
  expect.objectContaining({
    code: 'ERR_RECORD_BINDING',
    field,
    fix: expect.any(String),
    retryable: false,
    ...(message === undefined ? {} : { message: expect.stringContaining(message) }),
  })
