/** What a pass over a table did, in rows. */
export interface PassCounts {
  /** Rewritten. */
  readonly rows: number
  /** Left alone because somebody else wrote or locked them. */
  readonly superseded: number
  /** With a value that does not open. */
  readonly quarantined: number
}

export const NOTHING: PassCounts = { rows: 0, superseded: 0, quarantined: 0 }

export function add(a: PassCounts, b: PassCounts): PassCounts {
  return {
    rows: a.rows + b.rows,
    superseded: a.superseded + b.superseded,
    quarantined: a.quarantined + b.quarantined,
  }
}

export function subtract(a: PassCounts, b: PassCounts): PassCounts {
  return {
    rows: a.rows - b.rows,
    superseded: a.superseded - b.superseded,
    quarantined: a.quarantined - b.quarantined,
  }
}
