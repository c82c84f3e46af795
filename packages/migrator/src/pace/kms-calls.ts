import type { Keyring } from '@rowseal/prisma-extension'

/**
 * Calls of root keys so far, by these keyrings and whatever else of this process shares their root keys.
 * What an SDK tries again by itself counts once.
 */
export function kmsCallsOf(keyrings: Iterable<Pick<Keyring, 'root'>>): number {
  const roots = new Set([...keyrings].map(({ root }) => root))
  return [...roots].reduce((sum, root) => sum + root.stats().calls, 0)
}
