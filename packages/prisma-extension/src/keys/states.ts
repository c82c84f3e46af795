import { KeyError } from '../errors.ts'
import type { KeyringChange, KeyState } from './types.ts'

/** What each state allows. "protect" seals, "process" opens. NIST SP 800-57 Part 1, section 7. */
export const PERMITTED: Readonly<Record<KeyState, { protect: boolean; process: boolean }>> = {
  'pre-activation': { protect: false, process: true },
  active: { protect: true, process: true },
  suspended: { protect: false, process: true },
  deactivated: { protect: false, process: true }, // past its originator-usage period
  compromised: { protect: false, process: true }, // open only to re-encrypt, always audited
  destroyed: { protect: false, process: false },
}

/**
 * What each state allows an index key. "write" makes the values of indexes that are not unique;
 * "match" looks values up, and whatever a unique index does under a key that its record pins.
 */
export const INDEX_PERMITTED: Readonly<Record<KeyState, { write: boolean; match: boolean }>> = {
  'pre-activation': { write: false, match: true }, // others may make it active any moment
  active: { write: true, match: true },
  suspended: { write: false, match: true }, // until no value names it
  deactivated: { write: false, match: false }, // no value names it
  compromised: { write: false, match: true }, // its values are still there
  destroyed: { write: false, match: false },
}

/**
 * Every legal arrow, with its reason. What is not here is refused.
 *
 * A key version is stored (`pre-activation`), takes over from the former one (`active`), is taken
 * over from (`suspended`), is proven unused (`deactivated`) and goes (`destroyed`). Only the way
 * from `suspended` to `active` leads back. Nothing leaves `active` without a successor entering it.
 */
export const TRANSITIONS: Readonly<Record<KeyState, Readonly<Partial<Record<KeyState, string>>>>> =
  {
    'pre-activation': {
      active: 'it was distributed, and takes over',
      compromised: 'it leaked before it sealed anything',
      destroyed: 'it was never used and is not needed',
    },
    active: {
      suspended: 'another version took over; its values are not yet drained',
      compromised: 'it leaked; another version takes over in the same step',
    },
    suspended: {
      active: 'the rotation is rolled back',
      deactivated: 'its values are drained and the database refuses new ones',
      compromised: 'it leaked; its values must be re-encrypted',
    },
    deactivated: {
      compromised: 'it leaked; old copies of its values are exposed',
      destroyed: 'no value names it, and the waiting period is over',
    },
    compromised: {
      destroyed: 'no value names it, and the waiting period is over',
    },
    destroyed: {}, // the tombstone stays for ever, so that its key id is never used again
  }

export function isKeyState(value: unknown): value is KeyState {
  return typeof value === 'string' && Object.hasOwn(PERMITTED, value)
}

/**
 * Refuse a change that breaks the table, or that would leave a keyring with no active version or
 * with two. Every store calls this before it writes.
 *
 * @throws {KeyError} `ERR_KEY_STATE`
 */
export function assertLegal(change: KeyringChange): void {
  const { keyring, activeKeyId, transitions } = change
  for (const { keyId, from, to } of transitions) {
    if (TRANSITIONS[from][to] !== undefined) continue
    throw new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} of keyring "${keyring}" cannot go from ${from} to ${to}.`,
      { fix: `From ${from} it can go to ${nextStates(from)}.` },
    )
  }
  const entering = transitions.filter(({ to }) => to === 'active')
  const leaving = transitions.filter(({ from }) => from === 'active')
  const keyIds = new Set(transitions.map(({ keyId }) => keyId))
  const isWhole =
    keyIds.size === transitions.length &&
    entering.length <= 1 &&
    entering.length === leaving.length &&
    entering.every(({ keyId }) => keyId === activeKeyId) &&
    leaving.every(({ keyId }) => keyId !== activeKeyId)
  if (isWhole) return
  throw new KeyError(
    'ERR_KEY_STATE',
    `This change would leave keyring "${keyring}" without exactly one active version.`,
    { fix: 'Name the successor of the active version in the same step.' },
  )
}

function nextStates(from: KeyState): string {
  const names = Object.keys(TRANSITIONS[from])
  return names.length === 0 ? 'no other state' : names.join(' or ')
}
