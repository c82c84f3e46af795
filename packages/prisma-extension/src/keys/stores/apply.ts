import { assertLegal } from '../lifecycle/states.ts'
import type { KeyringSnapshot, KeyringWrite, KeyRow } from '../types.ts'

/**
 * A keyring after a write, for stores that hold it as one document.
 *
 * @param current - null if it does not exist.
 * @param isTaken - does another keyring have this key id?
 * @returns null if it is not as the write expects.
 * @throws {KeyError} `ERR_KEY_STATE` if a transition is not legal.
 */
export function applied(
  current: KeyringSnapshot | null,
  change: KeyringWrite,
  isTaken: (keyId: number) => boolean,
): KeyringSnapshot | null {
  assertLegal(change)
  const { expectedRevision, formerKeyId, head } = change
  if ((current?.head.revision ?? 0) !== expectedRevision) return null
  if ((current?.head.activeKeyId ?? null) !== formerKeyId) return null
  const rows = new Map((current?.keys ?? []).map((row) => [row.keyId, row]))
  for (const { from, row } of change.rows) {
    const before = rows.get(row.keyId)
    if ((before?.state ?? null) !== from) return null
    if (before === undefined && (isTaken(row.keyId) || hasVersion(rows, row))) return null
    rows.set(row.keyId, { ...row, uses: before?.uses ?? 0 })
  }
  return { head, keys: [...rows.values()].sort((a, b) => a.version - b.version) }
}

function hasVersion(rows: ReadonlyMap<number, KeyRow>, { version }: KeyRow): boolean {
  return [...rows.values()].some((row) => row.version === version)
}
