import { createHash } from 'node:crypto'
import type { Row } from './tables.ts'

/** A hash over rows in the order given: equal only if every value of every row is. */
export interface Digest {
  add(row: Row, fields: readonly string[]): void
  readonly rows: number
  hex(): string
}

export function createDigest(): Digest {
  const hash = createHash('sha256')
  let rows = 0
  return {
    add(row, fields) {
      hash.update(
        JSON.stringify(
          fields.map((field) => row[field]),
          bytesAsHex,
        ),
      )
      hash.update('\n')
      rows++
    },
    get rows() {
      return rows
    },
    hex: () => hash.digest('hex'),
  }
}

/** Dates and numbers are clear in JSON; bytes are not. */
function bytesAsHex(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : value
}
