import type { KeysReport, ListedKey } from '../keys/list.ts'
import type { RewrapReport } from '../keys/rewrap.ts'
import type { RootKeyStatus } from '../keys/root-keys.ts'
import type { RotateRootReport } from '../keys/rotate-root.ts'
import { count, dateOf, table } from './output.ts'

/** Key versions and root keys for people. Pure: a report in, text out. */

export function renderKeys({ keyrings, rootKeys }: KeysReport): string {
  const isCounted = keyrings.some(({ keys }) => keys.some(({ values }) => values !== null))
  const rows = keyrings.flatMap(({ keyring, keys }) =>
    keys.map((key) => [
      keyring,
      String(key.keyId),
      String(key.version),
      stateOf(key),
      key.ageDays === null ? '' : `${key.ageDays} d`,
      key.uses,
      key.rootKeyId,
      ...(isCounted ? [key.values ?? 0] : []),
    ]),
  )
  const head = ['keyring', 'key', 'version', 'state', 'age', 'uses', 'root key']
  const due = keyrings.flatMap(({ keyring, keys }) =>
    keys.flatMap((key) =>
      key.due.map(({ text }) => `Keyring "${keyring}" is due for a rotation: ${text}.`),
    ),
  )
  const revisions = keyrings.map(({ keyring, revision }) => `${keyring}: ${revision}`)
  return [
    table(isCounted ? [...head, 'values'] : head, rows),
    '',
    renderRootKeys(rootKeys),
    '',
    `Revisions, to be kept outside of the key store: ${revisions.join(', ')}.`,
    ...due,
  ].join('\n')
}

function stateOf({ state, destroyAt, compromisedAt }: ListedKey): string {
  const end = destroyAt === null ? '' : `, opens nothing, ends ${dateOf(destroyAt)}`
  const leak = compromisedAt !== null && state !== 'compromised' ? ', leaked before' : ''
  return `${state}${end}${leak}`
}

export function renderRootKeys(rootKeys: readonly RootKeyStatus[]): string {
  const rows = rootKeys.map((key) => [
    key.rootKeyId === '' ? '(the configured one)' : key.rootKeyId,
    key.isCurrent ? 'wraps new keys' : 'former',
    key.error === null ? (key.state ?? '') : (key.error.code ?? 'no answer'),
    key.region ?? '',
    rotationOf(key),
  ])
  const notes = rootKeys.flatMap(({ rootKeyId, deletionAt, error }) => [
    ...(deletionAt === null ? [] : [`${rootKeyId} will be deleted on ${dateOf(deletionAt)}.`]),
    ...(error === null ? [] : [error.message]),
  ])
  return [table(['root key', '', 'state', 'region', 'rotation'], rows), ...notes].join('\n')
}

function rotationOf({ rotation, error }: RootKeyStatus): string {
  if (error !== null) return ''
  if (rotation === null) return 'not by its provider'
  const { isAutomatic, periodDays, nextAt, lastAt } = rotation
  const how = isAutomatic ? `every ${periodDays ?? '?'} d` : 'on demand'
  const next = nextAt === null ? '' : `, next ${dateOf(nextAt)}`
  const last = lastAt === null ? '' : `, last ${dateOf(lastAt)}`
  return how + next + last
}

export function renderRewrap({ moved, rootKeys }: RewrapReport): string {
  const current = rootKeys.filter(({ isCurrent }) => isCurrent).map(({ rootKeyId }) => rootKeyId)
  if (moved.length === 0) return `All keys are under ${current.join(', ')} already.`
  const rows = moved.map(({ keyring, keyId, from, to }) => [
    keyring,
    keyId === 0 ? 'MAC key' : String(keyId),
    from,
    to,
  ])
  const former = [...new Set(moved.map(({ from }) => from))]
  return [
    table(['keyring', 'key', 'from', 'to'], rows),
    `${count(moved.length)} keys were re-wrapped. No value changed.`,
    `Keep ${former.join(', ')} for as long as a backup of the key store that you want to restore needs it.`,
  ].join('\n')
}

export function renderRotateRoot(report: RotateRootReport): string {
  const { keyring, outcome, rootKey, former } = report
  const text = {
    rotated: 'Its provider has rotated the root key. What it wrapped before opens as ever.',
    automatic: `Its provider rotates the root key ${rotationOf(rootKey)}.`,
    replaced: `Another root key wraps new keys already. Nothing was rotated. Next: npx rowseal keys rewrap`,
  }[outcome]
  const still = former.map((id) => `Keys of keyring "${keyring}" are under ${id} still.`)
  return [renderRootKeys([rootKey]), ...still, text].join('\n')
}
