/** The counts that are of a key, by key id: of those by kind, where that is 8 hex digits of one. */
export function byKey(
  counts: ReadonlyMap<string, number>,
): { readonly keyId: number; readonly count: number }[] {
  return [...counts]
    .filter(([kind]) => /^[0-9a-f]{8}$/.test(kind))
    .map(([kind, count]) => ({ keyId: parseInt(kind, 16), count }))
    .sort((a, b) => a.keyId - b.keyId)
}
