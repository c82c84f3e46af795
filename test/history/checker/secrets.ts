/** Bytes that must not be anywhere, with what to call them. */
export type Secrets = ReadonlyMap<string, Buffer>

/** A key as it could be written: raw, in hex, in base64 and base64url. */
export function formsOfKey(name: string, key: Buffer): [string, Buffer][] {
  // Padding and the last digit depend on what follows.
  const base64 = key.toString('base64').slice(0, -2)
  return [
    [`${name}, raw`, key],
    [`${name}, in hex`, Buffer.from(key.toString('hex'))],
    [`${name}, in upper-case hex`, Buffer.from(key.toString('hex').toUpperCase())],
    [`${name}, in base64`, Buffer.from(base64)],
    [`${name}, in base64url`, Buffer.from(base64.replaceAll('+', '-').replaceAll('/', '_'))],
    // As `inspect` shows the beginning of a Buffer.
    [
      `${name}, as inspected`,
      Buffer.from(
        key
          .toString('hex')
          .slice(0, 32)
          .replace(/..(?!$)/g, '$& '),
      ),
    ],
  ]
}

/** A text as it could be written: itself, in lower case, in UTF-16, in hex, and in base64 at any offset. */
export function formsOfText(text: string): [string, Buffer][] {
  const bytes = Buffer.from(text)
  const base64 = [0, 1, 2].map((offset) => {
    const shifted = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    // Digits that bits of neighbours are in are left out.
    return shifted.slice(offset === 0 ? 0 : 4, -4)
  })
  return [
    [`"${text}"`, bytes],
    [`"${text}" in lower case`, Buffer.from(text.toLowerCase())],
    [`"${text}" in UTF-16`, Buffer.from(text, 'utf16le')],
    [`"${text}" in hex`, Buffer.from(bytes.toString('hex'))],
    ...base64.map((digits, offset): [string, Buffer] => {
      return [`"${text}" in base64, ${offset} further`, Buffer.from(digits)]
    }),
  ]
}

/** Looks for many secrets at once, in one walk over the bytes. */
export class Finder {
  /** Is there a secret that begins with these two bytes? */
  readonly #begins = new Uint8Array(65_536)
  readonly #byBeginning = new Map<number, [string, Buffer][]>()

  constructor(secrets: Secrets) {
    for (const [name, bytes] of secrets) {
      if (bytes.length < 8) throw new TypeError(`${name} is too short to be looked for.`)
      const beginning = bytes.readUInt32BE(0)
      this.#begins[beginning >>> 16] = 1
      const others = this.#byBeginning.get(beginning) ?? []
      this.#byBeginning.set(beginning, [...others, [name, bytes]])
    }
  }

  /** @returns the names of what is in there. */
  find(bytes: Buffer): Set<string> {
    const found = new Set<string>()
    for (let at = 0; at + 4 <= bytes.length; at++) {
      if (this.#begins[(bytes[at]! << 8) | bytes[at + 1]!] === 0) continue
      for (const [name, secret] of this.#byBeginning.get(bytes.readUInt32BE(at)) ?? [])
        if (secret.equals(bytes.subarray(at, at + secret.length))) found.add(name)
    }
    return found
  }
}
