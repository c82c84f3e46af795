/** The values of a row. */
export interface Note {
  readonly id: number
  readonly text: string
  readonly doc: unknown
  readonly phone: string | null
  readonly login: string | null
}

/** The n-th thing that is written to a row; no two rows ever have the same of anything. */
export function noteOf(id: number, n: number): Note {
  const number = `${String(id).padStart(4, '0')} ${String(n).padStart(6, '0')}`
  return {
    id,
    text: `${'t'.repeat(n % 7)} ${id} ${n}`,
    // In the order in which databases give keys back.
    doc: n % 5 === 4 ? null : { n, id, list: [null, 1.5] },
    phone: n % 4 === 3 ? null : `+49 (0) ${number}`,
    login: n % 6 === 5 ? null : `User ${number}`,
  }
}
