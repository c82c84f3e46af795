/** Annotations this package knows, and those of prisma-field-encryption. */
export const ANNOTATIONS = [
  'encrypted',
  'blindIndex',
  'encryption:hash',
  'encryption:cursor',
] as const

export type AnnotationName = (typeof ANNOTATIONS)[number]

const OTHER_WORDS: Readonly<Record<string, AnnotationName>> = {
  seal: 'encrypted',
  sealed: 'encrypted',
}

/**
 * The annotation somebody meant who wrote `@name`: `name` itself if it is one, the nearest if it looks like
 * a misspelling (`encrypt`, `Encrypted`, `encryped`, `blind_index`), `null` if it is some other word.
 */
export function meantBy(name: string): AnnotationName | null {
  const exact = ANNOTATIONS.find((known) => known === name)
  if (exact !== undefined) return exact
  const letters = name.toLowerCase().replace(/[^a-z]/g, '')
  if (letters.startsWith('encryption')) {
    return letters.includes('cursor')
      ? 'encryption:cursor'
      : letters.includes('hash')
        ? 'encryption:hash'
        : 'encrypted'
  }
  if (letters.startsWith('encr') || isNear(letters, 'encrypted') || isNear(letters, 'encrypt')) {
    return 'encrypted'
  }
  if (letters.startsWith('blindi') || isNear(letters, 'blindindex')) return 'blindIndex'
  return Object.hasOwn(OTHER_WORDS, letters) ? (OTHER_WORDS[letters] ?? null) : null
}

/** The candidate that `word` is a misspelling of, or null. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const wanted = word.toLowerCase()
  return candidates.find((candidate) => distance(wanted, candidate.toLowerCase()) <= 2) ?? null
}

function isNear(word: string, target: string): boolean {
  return word.length >= target.length - 2 && word.length > 4 && distance(word, target) <= 2
}

/** Edits (insert, delete, replace, swap neighbours) from one word to another. Optimal string alignment. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= from.length; i++) {
    const row = [i]
    const above = rows[i - 1] ?? []
    for (let j = 1; j <= to.length; j++) {
      const replace = (above[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swap = isSwap ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min(replace, swap, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    rows.push(row)
  }
  return rows[from.length]?.[to.length] ?? Infinity
}
