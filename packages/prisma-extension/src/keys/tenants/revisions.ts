import type { Keyring } from '../keyring.ts'

/** How far a keyring and its index keys were, as seen in the newest of their states. */
export interface Revisions {
  readonly keks: number
  readonly index: number
}

/** How far the keyrings were that are not open any more: an older state of one is not believed. */
export class RevisionMarks {
  readonly #marks = new Map<string, Revisions>()

  /** Undefined for a keyring that was not open before. */
  of(name: string): Revisions | undefined {
    return this.#marks.get(name)
  }

  /** Index keys may not have been read while it was open. */
  note({ name, mac, index }: Keyring): void {
    const former = this.#marks.get(name)
    this.#marks.set(name, {
      keks: Math.max(mac.revision, former?.keks ?? 0),
      index: Math.max(index.mac.revision, former?.index ?? 0),
    })
  }
}
