import type { Note } from './note.ts'

/** What a writer does to rows of its own. */
export type Write =
  | { readonly kind: 'create' | 'update'; readonly note: Note }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'updateMany'; readonly ids: readonly number[]; readonly text: string }

/** What is remembered of a write, in this order: it was sent, then either it was acknowledged or it failed. */
export type Entry =
  | { readonly at: 'sent' | 'acknowledged' | 'failed'; readonly write: Write }
  | { readonly at: 'read'; readonly id: number; readonly note: Note | null }

/** A row, and null for one that is not there. */
type State = Note | null

/**
 * What rows hold: the last write that was acknowledged. Of one that was sent and never answered nobody knows,
 * so a row may then hold either, until it was read. Each row has one writer, which waits for each answer.
 */
export class Journal {
  readonly #states = new Map<number, readonly State[]>()
  readonly #sink: ((entry: Entry) => void) | undefined
  /** Writes that were acknowledged. */
  acknowledged = 0

  constructor(notes: readonly Note[], sink?: (entry: Entry) => void) {
    for (const note of notes) this.#states.set(note.id, [note])
    this.#sink = sink
  }

  /** @throws if a row that was read holds what it cannot. */
  note(entry: Entry): void {
    this.#sink?.(entry)
    if (entry.at === 'read') this.#read(entry.id, entry.note)
    else this.#written(entry.at, entry.write)
  }

  #written(at: 'sent' | 'acknowledged' | 'failed', write: Write): void {
    if (at === 'acknowledged') this.acknowledged++
    for (const id of idsOf(write)) {
      const [before = null] = this.#states.get(id) ?? []
      const after = applied(write, before)
      const states = { sent: [before, after], acknowledged: [after], failed: null }[at]
      if (states !== null) this.#states.set(id, states)
    }
  }

  /** What a row holds; undefined if that is not known. */
  get(id: number): State | undefined {
    const [state = null, ...others] = this.#states.get(id) ?? []
    return others.length === 0 ? state : undefined
  }

  /** Rows of which nobody knows what they hold. */
  unknown(): number[] {
    return [...this.#states].filter(([, states]) => states.length > 1).map(([id]) => id)
  }

  /** All rows, in order. @throws if some are not known. */
  rows(): Note[] {
    if (this.unknown().length > 0) throw new Error(`Not known: ${this.unknown().join()}`)
    return [...this.#states.values()]
      .flatMap(([state = null]) => (state === null ? [] : [state]))
      .sort((a, b) => a.id - b.id)
  }

  #read(id: number, note: State): void {
    const states = this.#states.get(id) ?? [null]
    if (!states.some((state) => said(state) === said(note)))
      throw new Error(
        `Row ${id} holds ${said(note)}, and should hold ${states.map(said).join(' or ')}.`,
      )
    this.#states.set(id, [note])
  }
}

export function idsOf(write: Write): readonly number[] {
  if (write.kind === 'updateMany') return write.ids
  return [write.kind === 'delete' ? write.id : write.note.id]
}

function applied(write: Write, before: State): State {
  if (write.kind === 'delete') return null
  if (write.kind !== 'updateMany') return write.note
  return before === null ? null : { ...before, text: write.text, phone: null }
}

function said(state: State): string {
  if (state === null) return 'nothing'
  const { id, text, doc, phone, login } = state
  return JSON.stringify([id, text, doc, phone, login])
}
