import { codeOfOperation } from './code.ts'
import type { Operation } from './operations.ts'
import { isTelling, type Outcome } from './outcome.ts'
import type { World } from './worlds.ts'

/** A call that ended differently on the twins. */
export interface Ending {
  readonly world: World
  /** The call, or the calls of a batch, as code. */
  readonly code: string
  readonly sealed: Outcome
  readonly plain: Outcome
}

const isDuplicate = (outcome: Outcome): boolean =>
  outcome.kind === 'error' && outcome.report.startsWith('P2002 ') && !isTelling(outcome)

interface Difference {
  readonly reason: string
  /** Left out where the generators see to it that it is not met. */
  readonly explains?: (ending: Ending) => boolean
  /** May the data differ afterwards, though the call ended alike? */
  readonly parts?: (ending: Ending) => boolean
}

/** What the twins may do differently. Where it can be said in other words to the plain twin, see `Differing`. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'U+0000 may be sealed': {
    reason: 'PostgreSQL refuses it in text and jsonb; an envelope holds any text.',
    explains: ({ world, code, plain }) =>
      world.provider === 'postgresql' &&
      code.includes('\\u0000') &&
      plain.kind === 'error' &&
      /22P05|22021/.test(plain.error.message),
  },
  'index columns are fields': {
    reason: 'Where every other field is left out, they remain; without them Prisma refuses.',
  },
  'text ends at U+0000 on libsql': {
    reason: 'Its adapter reads plain text up to it; an envelope holds any text.',
    explains: ({ world, code }) => world.provider === 'sqlite' && code.includes('\\u0000'),
    parts: ({ world, code }) => world.provider === 'sqlite' && code.includes('\\u0000'),
  },
  'of several duplicates one is named': {
    reason: 'An updateMany meets rows in the order in which they are stored, which differs.',
    explains: ({ code, sealed, plain }) =>
      code.includes('updateMany') && isDuplicate(sealed) && isDuplicate(plain),
  },
  'normalised indexes match more, and their negations less': {
    reason: 'The plain twin is asked for, or not for, all values that are the same to the index.',
  },
  'text compares by code points on MariaDB': {
    reason: 'Its columns are utf8mb4_nopad_bin, as a hash compares. Other collations match more.',
  },
  'numbers in Json keep their digits': {
    reason:
      'MariaDB rounds what Prisma sends it: 1.0002973834462982e82 comes back with a digit less.',
  },
  'lists of bytes that are set': {
    reason: 'Prisma 7.10 stores their base64 text in a plain column.',
  },
}

/**
 * The name of the declared difference that explains an ending, or, where it ended alike, after which the
 * data may differ; null if none does.
 */
export function differenceOf(
  operations: readonly Operation[],
  ending: Omit<Ending, 'code'>,
  does: 'explains' | 'parts' = 'explains',
): string | null {
  const code = operations.map(codeOfOperation).join('\n')
  return (
    Object.entries(DIFFERENCES).find(([, difference]) =>
      difference[does]?.({ ...ending, code }),
    )?.[0] ?? null
  )
}
