import type { UnreadableValues } from '../drain/destroyed.ts'
import { count } from './output.ts'

/** What to do about values under destroyed keys: a line for each field and key. */
export function renderUnreadable(unreadable: readonly UnreadableValues[]): string[] {
  return unreadable.map(
    ({ field, keyring, keyId, count: n }) =>
      `${count(n)} of ${field} are under key ${keyId} of keyring "${keyring}", which is destroyed: they open no more. Restore them from a backup made after they were drained, or write them again.`,
  )
}
