import { isTenantKeyring } from '@rowseal/prisma-extension/keys'
import type { DestroyReport, Destruction } from '../keys/destroy.ts'
import type { ShredReport, Shredding } from '../keys/destroy-keyring.ts'
import type { KeyName } from '../keys/find.ts'
import type { ForgetReport } from '../keys/forget.ts'
import type { Proof } from '../keys/proof.ts'
import type { RetireReport } from '../keys/retire.ts'
import type { ScannedColumn } from '../keys/scan.ts'
import { count, dateOf, table } from './output.ts'

/** The end of keys, for people. */

export function renderRetire({ outcome, key, columns, proof }: RetireReport): string {
  const { keyId, keyring } = key
  if (outcome === 'stopped') return `Stopped. Key ${keyId} is ${key.state} as before.`
  return [
    renderScan(columns, proof),
    `Keyring "${keyring}": key ${keyId} is deactivated. No value names it in ${columnsText(columns)}.`,
    proofText(proof, null),
    ...(proof.isProven ? [] : [`To have the database refuse it: npx rowseal ddl fence ${keyId}`]),
    `It still opens, for backups. Next, if that is to end: npx rowseal keys destroy ${keyId}`,
  ].join('\n')
}

/** What is shown before somebody is asked. @param wait - days of `--wait`, if given. */
export function renderDestruction(destruction: Destruction, wait?: number): string {
  const { step, key, destroyAt, backups, columns, proof } = destruction
  const lines = [
    renderScan(columns, proof),
    `No value of this database names key ${key.keyId} of keyring "${key.keyring}", in ${columnsText(columns)}.`,
    `BACKUPS made ${periodOf(backups)} may hold values under it. They become unreadable${step === 'delete' ? ', for good' : ''}.`,
  ]
  if (step === 'schedule')
    lines.push(
      `From now on the key opens nothing. Until ${dateOf(destroyAt)} this can be undone; after that its KEK can be deleted.`,
    )
  else
    lines.push(
      'The waiting period is over. The KEK is deleted now: this CANNOT be undone.',
      ...noOther(wait),
    )
  return lines.join('\n')
}

/** @param wait - days of `--wait`, if given. */
export function renderDestroy(report: DestroyReport, wait?: number): string {
  const { outcome, key, destroyAt, proof, waitedDays } = report
  const { keyId, keyring } = key
  const command = `npx rowseal keys destroy ${keyId}`
  switch (outcome) {
    case 'declined':
      return `Nothing was done. Key ${keyId} of keyring "${keyring}" is ${key.state} as before.`
    case 'scheduled':
      return `Keyring "${keyring}": key ${keyId} opens nothing any more.
To undo it until ${dateOf(destroyAt)}: ${command} --cancel
To delete it after that: ${command}`
    case 'waiting':
      return `Keyring "${keyring}": key ${keyId} opens nothing, and can be deleted after ${dateOf(destroyAt)}. No value names it.
${untilThen(command, wait)}`
    case 'destroyed':
      return [
        `Keyring "${keyring}": key ${keyId} is destroyed. Its wrapped KEK is gone; a tombstone keeps its key id.`,
        proofText(proof, waitedDays),
      ].join('\n')
  }
}

/** As `renderDestruction`. */
export function renderShredding(shredding: Shredding, wait?: number): string {
  const { step, keyring, keys, columns, destroyAt, isRootWrapped } = shredding
  const rows = columns.filter((column) => column.rows > 0)
  const total = rows.reduce((sum, column) => sum + column.rows, 0)
  return [
    ...(rows.length === 0 ? [] : [scanTable(rows)]),
    `Keyring "${keyring}" has ${count(keys.length)} keys. ${count(total)} values in this database are under them, and become unreadable${step === 'delete' ? ', for good' : ''}: ${isRootWrapped ? 'to Rowseal' : 'here, in replicas, and in every backup'}.`,
    ...(isRootWrapped ? [ROOT_WRAPPED] : []),
    ...(step === 'schedule' && isSearchLost(keyring, keys) ? [SEARCH_LOST] : []),
    step === 'schedule'
      ? `From now on nothing of it opens. Until ${dateOf(destroyAt)} this can be undone; after that its KEKs can be deleted.`
      : 'The waiting period is over. The KEKs are deleted now: this CANNOT be undone.',
    ...(step === 'schedule' ? [] : noOther(wait)),
  ].join('\n')
}

/** Index keys of a tenant do not come back to use, and `reindex` does not move its values to others yet. */
function isSearchLost(keyring: string, keys: readonly KeyName[]): boolean {
  return isTenantKeyring(keyring) && keys.some((key) => key.keyring !== keyring)
}

const SEARCH_LOST =
  'Look-ups by its blind indexes are refused from now on, even if this is undone: they cannot be made anew yet for a tenant.'

const ROOT_WRAPPED =
  'Whoever may use the root key still opens them, without these keys: it wraps their DEKs itself. Where it is of this keyring alone, delete it in the KMS as well.'

/** As `renderDestroy`. */
export function renderShred(report: ShredReport, wait?: number): string {
  const { outcome, keyring, keys, destroyAt, isRootWrapped } = report
  const command = `npx rowseal keys destroy --keyring ${keyring}`
  switch (outcome) {
    case 'declined':
      return `Nothing was done. Keyring "${keyring}" is as before.`
    case 'scheduled':
      return `Keyring "${keyring}": nothing of it opens any more.
To undo it until ${dateOf(destroyAt)}: ${command} --cancel
To delete it after that: ${command}`
    case 'waiting':
      return `Keyring "${keyring}": nothing of it opens, and it can be deleted after ${dateOf(destroyAt)}.
${untilThen(command, wait)}`
    case 'destroyed':
      return `Keyring "${keyring}": all its ${count(keys.length)} keys are destroyed. Tombstones keep their key ids.
${isRootWrapped ? ROOT_WRAPPED : 'Backups of the key store still hold the wrapped keys: they open for who may use the root key.'}`
  }
}

function untilThen(command: string, wait: number | undefined): string {
  const undo = `To undo it until then: ${command} --cancel`
  if (wait === undefined) return undo
  return `${undo}
--wait ${wait} changes nothing: the waiting period was begun before. For another one: ${command} --cancel, then ${command} --wait ${wait}`
}

function noOther(wait: number | undefined): string[] {
  return wait === undefined
    ? []
    : [`--wait ${wait} begins no other one: the waiting period is over.`]
}

/** @param keyring - if all of it was cancelled. */
export function renderCancelled(keys: readonly KeyName[], keyring?: string): string {
  const lines = keys.map((key) => `Keyring "${key.keyring}": key ${key.keyId} is ${key.state}.`)
  return [...lines, ...opensAgain(keys, keyring)].join('\n')
}

function opensAgain(keys: readonly KeyName[], keyring: string | undefined): string[] {
  const isOpen = keys.some((key) => key.keyring === keyring && key.state === 'active')
  // It was never closed, and only some of its versions were to end.
  if (keyring === undefined || isOpen) return ['It opens again.']
  const isLost = isSearchLost(keyring, keys)
  const reindex = isLost ? `npx rowseal init --keyring ${keyring}` : 'npx rowseal reindex'
  return [
    `Keyring "${keyring}" opens again, and seals nothing. To seal: npx rowseal rotate --keyring ${keyring}, and for blind indexes: npx rowseal rotate --index --keyring ${keyring}; ${reindex}`,
    ...(isLost ? [SEARCH_LOST] : []),
  ]
}

export function renderForget(reports: readonly ForgetReport[]): string {
  return reports
    .flatMap(({ field, columns, indexes }) => [
      `${field}: keys are looked for no more in ${columns.map(({ table: of, column }) => `${of}.${column}`).join(', ')}.`,
      ...indexes.map((id) => `Blind index ${id} is no longer registered, and holds no key.`),
    ])
    .join('\n')
}

function renderScan(columns: readonly ScannedColumn[], { columns: fences }: Proof): string {
  const rows = columns.map((column) => {
    const fence = fences.find(
      (one) => one.table === column.table && one.column === column.column && one.state === 'holds',
    )
    return [...cellsOf(column), fence === undefined ? 'none' : fence.kind]
  })
  return table(['field', 'column', 'values', 'fence'], rows)
}

function scanTable(columns: readonly ScannedColumn[]): string {
  return table(['field', 'column', 'values'], columns.map(cellsOf))
}

function cellsOf({
  model,
  field,
  table: of,
  column,
  isPlanned,
  rows,
}: ScannedColumn): (string | number)[] {
  return [`${model}.${field}${isPlanned ? '' : ' (not in the plan)'}`, `${of}.${column}`, rows]
}

function columnsText(columns: readonly ScannedColumn[]): string {
  return columns.length === 1 ? 'its one column' : `any of ${columns.length} columns`
}

/** @param waitedDays - null where nothing was waited for. */
function proofText({ isProven, unfenced }: Proof, waitedDays: number | null): string {
  if (isProven) return 'Proof: the database refuses values under it in every column.'
  const waited = waitedDays === null ? '' : `, waited ${waitedDays} days`
  return `No proof${waited}: the database does not refuse values under it in ${unfenced.join(', ') || 'any column'}.`
}

function periodOf({ from, to }: Destruction['backups']): string {
  return from === null ? `before ${dateOf(to)}` : `from ${dateOf(from)} to ${dateOf(to)}`
}
