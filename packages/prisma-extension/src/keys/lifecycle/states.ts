import { KeyError } from '../../errors.ts'
import type { KeyringWrite, KeyRow, KeyState, RowWrite } from '../types.ts'

/**
 * What each state allows. "protect" seals, "process" opens. NIST SP 800-57 Part 1, section 7. While its
 * destruction is under way a key opens nothing, whatever its state: see `mayProcess`.
 */
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
      deactivated: 'its keyring is closed: nothing is sealed any more',
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

/** May this version open values? */
export function mayProcess({ state, destroyAt }: KeyRow): boolean {
  return PERMITTED[state].process && destroyAt === null
}

/** May values of blind indexes be looked up under this version? */
export function mayMatch({ state, destroyAt }: KeyRow): boolean {
  return INDEX_PERMITTED[state].match && destroyAt === null
}

/** A key version after a transition. Whether it is legal is for `assertLegal` to say. */
export function moved(row: KeyRow, to: KeyState, at: Date): KeyRow {
  return {
    ...row,
    state: to,
    stateAt: at,
    activatedAt: row.activatedAt ?? (to === 'active' ? at : null),
    suspendedAt: to === 'active' ? null : row.state === 'active' ? at : row.suspendedAt,
    compromisedAt: row.compromisedAt ?? (to === 'compromised' ? at : null),
    ...(to === 'destroyed' ? { wrappedKek: new Uint8Array(), destroyAt: null } : {}),
  }
}

/**
 * Refuse a change that breaks the table, or that would leave a keyring with two active versions, or with
 * none and not closed. Every store calls this before it writes.
 *
 * @throws {KeyError} `ERR_KEY_STATE`
 */
export function assertLegal(change: KeyringWrite): void {
  const { keyring, rows } = change
  for (const write of rows) assertLegalRow(change, write)
  const keyIds = new Set(rows.map(({ row }) => row.keyId))
  if (keyIds.size === rows.length && isOneActive(change)) return
  throw new KeyError(
    'ERR_KEY_STATE',
    `This change would leave keyring "${keyring}" without exactly one active version.`,
    { fix: 'Name the successor of the active version in the same step.' },
  )
}

function assertLegalRow(change: KeyringWrite, { from, row }: RowWrite): void {
  const { keyId, keyring, state } = row
  const isArrow =
    from === null
      ? state === 'pre-activation' || (state === 'active' && change.expectedRevision === 0)
      : from === state || TRANSITIONS[from][state] !== undefined
  if (!isArrow || keyring !== change.keyring) {
    throw new KeyError(
      'ERR_KEY_STATE',
      `Key ${keyId} of keyring "${keyring}" cannot ${from === null ? 'begin as' : `go from ${from} to`} ${state}.`,
      {
        fix:
          from === null
            ? 'A new version begins in pre-activation.'
            : `From ${from} it can go to ${nextStates(from)}.`,
      },
    )
  }
  if (hasFittingParts(row)) return
  throw new KeyError(
    'ERR_KEY_STATE',
    `Key ${keyId} of keyring "${keyring}" cannot be ${state} with or without a KEK or an end like that.`,
    {
      fix: 'Only a destroyed key has no KEK, and only a deactivated or compromised one is about to.',
    },
  )
}

function hasFittingParts({ state, wrappedKek, destroyAt }: KeyRow): boolean {
  const mayEnd = state === 'deactivated' || state === 'compromised'
  return (wrappedKek.length === 0) === (state === 'destroyed') && (destroyAt === null || mayEnd)
}

/** Exactly the head's version is active afterwards; or none, where the head's is deactivated. */
function isOneActive({ formerKeyId, head, rows }: KeyringWrite): boolean {
  const stateOf = (keyId: number | null): KeyState | undefined =>
    rows.find(({ row }) => row.keyId === keyId)?.row.state
  const entering = rows.filter(({ from, row }) => from !== 'active' && row.state === 'active')
  if (head.activeKeyId === formerKeyId) {
    const write = rows.find(({ row }) => row.keyId === formerKeyId)
    if (entering.length > 0) return false
    if (write === undefined || write.row.state === 'active') return true
    // It closes the keyring by being deactivated, and may go on from there.
    return write.row.state === 'deactivated' || (write.from !== 'active' && endsIt(write.row.state))
  }
  const former = stateOf(formerKeyId)
  const isFormerOver = formerKeyId === null || (former !== undefined && former !== 'active')
  return entering.length === 1 && stateOf(head.activeKeyId) === 'active' && isFormerOver
}

/** Is a keyring closed whose head names a version in this state? */
export function endsIt(state: KeyState): boolean {
  return state === 'deactivated' || state === 'compromised' || state === 'destroyed'
}

function nextStates(from: KeyState): string {
  const names = Object.keys(TRANSITIONS[from])
  return names.length === 0 ? 'no other state' : names.join(' or ')
}
