import { KeyError } from '../../errors.ts'

const MAX_KEY_ID = 0xffff_ffff

/** The key id after the highest one that a store has. */
export function nextAfter(last: number, store: string): number {
  if (last < MAX_KEY_ID) return last + 1
  throw new KeyError('ERR_KEY_STATE', `There is no key id left in the ${store}.`, {
    fix: 'Use another key store for new keyrings.',
  })
}
