/** What a pass over a table did. Rows, except `values`. */
export interface PassCounts {
  /** Rows rewritten. */
  readonly rows: number
  /** Values in them that were re-encrypted; elements for lists. */
  readonly values: number
  /** Rows left alone because somebody else wrote or locked them. */
  readonly superseded: number
  /** Rows with a value that does not open. */
  readonly quarantined: number
}

export const NOTHING: PassCounts = { rows: 0, values: 0, superseded: 0, quarantined: 0 }

export function add(a: PassCounts, b: PassCounts): PassCounts {
  return {
    rows: a.rows + b.rows,
    values: a.values + b.values,
    superseded: a.superseded + b.superseded,
    quarantined: a.quarantined + b.quarantined,
  }
}
