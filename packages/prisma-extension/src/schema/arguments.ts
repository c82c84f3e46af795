export type Value =
  | { readonly kind: 'word' | 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'list'; readonly items: readonly Value[] }

/** One argument: `pad: 16` has a name, the `email` of `@blindIndex(email)` has none. */
export interface Argument {
  readonly name: string | null
  readonly value: Value
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\["\\])*)"|(-?\d[\w.]*)|([A-Za-z]\w*)|([()[\],:]))/y

/**
 * Read `(name: value, …)` from the start of `text`.
 *
 * @returns the arguments and how many characters they took; `null` if `text` does not start so, or the
 * parentheses are not closed.
 */
export function readArguments(text: string): { args: Argument[]; length: number } | null {
  const reader = new Reader(text)
  if (!reader.take('(')) return null
  const args: Argument[] = []
  while (!reader.take(')')) {
    const argument = reader.argument()
    if (argument === null) return null
    args.push(argument)
    if (!reader.take(',') && !reader.sees(')')) return null
  }
  return { args, length: reader.position }
}

class Reader {
  readonly #text: string
  position = 0

  constructor(text: string) {
    this.#text = text
  }

  take(mark: string): boolean {
    const token = this.#next()
    if (token?.[4] !== mark) return false
    this.position += token[0].length
    return true
  }

  sees(mark: string): boolean {
    return this.#next()?.[4] === mark
  }

  argument(): Argument | null {
    const value = this.#value()
    if (value?.kind !== 'word' || !this.take(':')) return value && { name: null, value }
    const named = this.#value()
    return named && { name: value.text, value: named }
  }

  #value(): Value | null {
    if (this.take('[')) return this.#list()
    const token = this.#next()
    if (token === null || token[4] !== undefined) return null
    this.position += token[0].length
    const [, string, number, word] = token
    if (string !== undefined) return { kind: 'string', text: string.replace(/\\(.)/g, '$1') }
    if (number !== undefined) return { kind: 'number', number: Number(number) }
    return { kind: 'word', text: word ?? '' }
  }

  #list(): Value | null {
    const items: Value[] = []
    while (!this.take(']')) {
      // No option takes a list of lists.
      const item = this.sees('[') ? null : this.#value()
      if (item === null) return null
      items.push(item)
      if (!this.take(',') && !this.sees(']')) return null
    }
    return { kind: 'list', items }
  }

  #next(): RegExpExecArray | null {
    TOKEN.lastIndex = this.position
    return TOKEN.exec(this.#text)
  }
}
