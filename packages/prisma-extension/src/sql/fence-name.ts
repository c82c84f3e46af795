import { createHash } from 'node:crypto'
import type { ModelSource } from '../plan/index.ts'

/**
 * The name of a fence tells key and column, to people and to whoever meets it in an error:
 *
 *   `rowseal_fence_` ‖ key id, 8 hex digits ‖ `_` ‖ table and column, as far as they fit ‖ `_` ‖ hash, 8 hex digits
 *
 * At most 61 ASCII characters: databases take 63 or 64, and a trigger's name has two more.
 */
const READABLE_CHARS = 29

/** The name of the fence of one column against one key id. */
export function fenceName(source: ModelSource, field: string, keyId: number): string {
  const column = source.columns[field]?.column ?? field
  const whole = JSON.stringify([source.schema ?? null, source.table, column])
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8)
  const readable = `${source.table}_${column}`.replaceAll(/\W+/g, '_').slice(0, READABLE_CHARS)
  return `rowseal_fence_${keyIdHex(keyId)}_${readable}_${hash}`
}

/** The fence that a message of the database names: its name and key id. Null if it names none. */
export function fenceIn(message: string): { readonly name: string; readonly keyId: number } | null {
  const found = /\b(rowseal_fence_([0-9a-f]{8})_\w*_[0-9a-f]{8})(?:_[iu])?\b/.exec(message)
  return found === null ? null : { name: found[1]!, keyId: parseInt(found[2]!, 16) }
}

/** As it stands in the prefix of a value. */
export function keyIdHex(keyId: number): string {
  return keyId.toString(16).padStart(8, '0')
}
