/// <reference lib="es2024.string" />
// String.isWellFormed: in Node since 20.0.
import { SUITE_KEK, SUITE_KMS } from './layout.ts'
import type { Suite } from './layout.ts'

const LABEL = Buffer.from('rowseal/v1/value', 'ascii')
const LENGTH_BYTES = 4
const MAX_BOUND = 255

/**
 * What a value is bound to, beside its ciphertext. No two sets of arguments give the same bytes.
 *
 *   "rowseal/v1/value" ‖ suite ‖ lp(id) ‖ count (1 byte) ‖ lp(bound) …     lp(x) = uint32 length ‖ x
 *
 * @param id - name of the field, `Model.field` unless its annotation says otherwise.
 * @param bound - canonical encodings of the columns the annotation binds, in its order; up to 255.
 * @throws {TypeError} if `id` is empty or holds a lone surrogate, or `bound` has more than 255 entries.
 * @see docs/spec/envelope-v1.md#additional-data
 */
export function valueAad(suite: Suite, id: string, bound: readonly Uint8Array[] = []): Buffer {
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- callers in plain JavaScript
  if (suite !== SUITE_KEK && suite !== SUITE_KMS) throw new TypeError('A suite is 0x01 or 0x02.')
  if (id === '' || !id.isWellFormed()) throw new TypeError('The id of a field is text in Unicode.')
  if (bound.length > MAX_BOUND) throw new TypeError('At most 255 columns can be bound to a value.')
  const idBytes = Buffer.byteLength(id)
  const boundBytes = bound.reduce((sum, part) => sum + LENGTH_BYTES + part.length, 0)
  const aad = Buffer.allocUnsafe(LABEL.length + 1 + LENGTH_BYTES + idBytes + 1 + boundBytes)
  aad.set(LABEL)
  let at = aad.writeUInt8(suite, LABEL.length)
  at = aad.writeUInt32BE(idBytes, at)
  at += aad.write(id, at)
  at = aad.writeUInt8(bound.length, at)
  for (const part of bound) {
    at = aad.writeUInt32BE(part.length, at)
    aad.set(part, at)
    at += part.length
  }
  return aad
}
