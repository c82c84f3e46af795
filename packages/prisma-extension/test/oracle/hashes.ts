import { indexColumns, isInUnique, type Field, type Model } from './models.ts'
import { foldedAlias } from './pools.ts'

/**
 * Equal texts have equal hashes in a column, and others have others, through a whole run. A hash that a
 * write forgot to change, or took from elsewhere, would be of another text.
 */
export class Hashes {
  readonly #isRotating: boolean
  /** By column: the text of each hash, and the hashes of each text. */
  readonly #columns = new Map<
    string,
    { texts: Map<string, string>; hashes: Map<string, Set<string>> }
  >()

  constructor(isRotating: boolean) {
    this.#isRotating = isRotating
  }

  /** @throws {Error} naming a column that holds the hash of another text. */
  check(model: Model, row: Readonly<Record<string, unknown>>): void {
    for (const field of model.fields) {
      const text = row[field.name]
      if (typeof text !== 'string') continue
      for (const column of indexColumns(field)) {
        const hash = row[column]
        if (typeof hash === 'string') this.#see(`${model.name}.${column}`, model, field, text, hash)
      }
    }
  }

  #see(column: string, model: Model, field: Field, text: string, hash: string): void {
    let seen = this.#columns.get(column)
    if (seen === undefined)
      this.#columns.set(column, (seen = { texts: new Map(), hashes: new Map() }))
    const same = field.index === 'folded' ? foldedAlias(text) : text
    const former = seen.texts.get(hash)
    if (former !== undefined && former !== same) {
      throw new Error(
        `${column} holds the hash of ${JSON.stringify(former)} beside ${JSON.stringify(same)}.`,
      )
    }
    seen.texts.set(hash, same)
    const hashes = seen.hashes.get(same) ?? new Set()
    seen.hashes.set(same, hashes.add(hash))
    // What is unique stands under one key always.
    const most = this.#isRotating && !isInUnique(model, field) ? 2 : 1
    if (hashes.size > most)
      throw new Error(`${column} has ${hashes.size} hashes of ${JSON.stringify(same)}.`)
  }
}
