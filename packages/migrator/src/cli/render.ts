import { baseKeyringOf, isIndexKeyring, isTenantKeyring } from '@rowseal/prisma-extension/keys'
import { shareOf } from '../due.ts'
import type { InitReport } from '../init.ts'
import type { Inspection } from '../inspect.ts'
import type { FieldStatus, StatusReport } from '../status.ts'
import type { VerifyReport } from '../verify/options.ts'
import { count, dateOf, table } from './output.ts'
import { renderMissing } from './render-staleness.ts'
import { renderIndexChecks, renderIndexes, renderSamples } from './render-indexes.ts'
import { renderUnknown } from './render-unknown.ts'
import { renderUnplanned } from './render-unplanned.ts'
import { renderUnreadable } from './render-unreadable.ts'

/** Reports for people. Pure: a report in, text out. */

export function renderInit({ keyrings, areRunTablesCreated, indexes }: InitReport): string {
  const lines = keyrings.map(({ keyring, activeKeyId, isCreated }) =>
    isCreated
      ? `Keyring "${keyring}": created, key ${activeKeyId} is active.`
      : `Keyring "${keyring}": was there, key ${activeKeyId} is active.`,
  )
  const registered = indexes.map(
    ({ index, isCreated, isComplete }) =>
      `Index ${index}: ${isCreated ? 'registered' : 'was there'}, ${isComplete ? 'complete' : 'not complete'}.`,
  )
  const missing = indexes.filter(({ isComplete }) => !isComplete)
  const next = missing.every(({ keyring }) => isTenantKeyring(keyring))
    ? 'Nothing makes it complete yet for a tenant.'
    : 'Next: npx rowseal reindex'
  return [
    ...lines,
    `Run tables: ${areRunTablesCreated ? 'created' : 'were there'}.`,
    ...registered,
    ...(missing.length === 0 ? [] : [`Look-ups by what is not complete are refused. ${next}`]),
  ].join('\n')
}

export function renderStatus(report: StatusReport): string {
  const { keys, fields, indexes, runs, unknown } = report
  const keyRows = keys.map((key) => [
    key.keyring,
    String(key.keyId),
    String(key.version),
    key.destroyAt === null ? key.state : `${key.state}, opens nothing`,
    key.ageDays === null ? '' : `${key.ageDays} d`,
    key.uses === 0 ? '' : shareOf(key.uses),
    key.values,
  ])
  const fieldRows = fields.map((field) => [
    `${field.model}.${field.field}`,
    current(field),
    field.stale,
    field.unknown,
    field.malformed,
    field.quarantined,
    field.plaintext,
    field.null,
    field.versions.map(({ keyId, count: n }) => `key ${keyId}: ${count(n)}`).join(', '),
  ])
  const alive = runs.filter((run) => run.workers.length > 0)
  return [
    table(['keyring', 'key', 'version', 'state', 'age', 'used', 'values'], keyRows),
    table(
      [
        'field',
        'current',
        'stale',
        'unknown key',
        'malformed',
        'quarantined',
        'plaintext',
        'null',
        'by key',
      ],
      fieldRows,
    ),
    ...(indexes.length === 0 ? [] : [renderIndexes(indexes)]),
    ...renderMissing(
      fields.map(({ model, field, stalenessIndex: state }) => ({ model, field, state })),
    ),
    ...(unknown.length === 0 ? [] : [renderUnknown(unknown).join('\n')]),
    ...renderUnplanned(report.unplanned),
    ...renderTasks(report),
    ...alive.map(
      (run) =>
        `A ${run.direction} of ${run.model} is ${run.state}: ${run.workers.join(', ')}, since ${run.since}.`,
    ),
  ].join('\n\n')
}

/** What is due, and what else somebody should do. */
function renderTasks({ keys, keyrings }: StatusReport): string[] {
  const due = keys.flatMap(({ keyring, due: reasons }) => {
    const index = isIndexKeyring(keyring) ? ' --index' : ''
    const command = `npx rowseal rotate${index} --keyring ${baseKeyringOf(keyring)}`
    return reasons.map(({ text }) => `Keyring "${keyring}" is due: ${text}. ${command}`)
  })
  const tasks = keys.flatMap(({ keyId, tasks: all }) =>
    all.map(({ code, text, command }) => {
      const undo = code === 'ending' ? 'To undo that: ' : ''
      return `Key ${keyId}: ${text}.${command === null ? '' : ` ${undo}${command}`}`
    }),
  )
  const closed = keyrings.filter(({ isOpen }) => !isOpen)
  const lines = [
    ...due,
    ...tasks,
    ...closed.map(({ keyring }) => `Keyring "${keyring}" is closed and seals nothing.`),
  ]
  return lines.length === 0 ? ['No key is due for a rotation.'] : [lines.join('\n')]
}

/** Values under the active version, or one that is neither stale nor unknown. */
function current(field: FieldStatus): number {
  const all = field.versions.reduce((sum, { count: n }) => sum + n, 0)
  return all - field.stale - field.unknown
}

export function renderVerify(report: VerifyReport): string {
  const rows = report.fields.map((field) => [
    `${field.model}.${field.field}`,
    field.opened.reduce((sum, { count: n }) => sum + n, 0),
    field.bad.reduce((sum, { count: n }) => sum + n, 0),
    field.plaintext,
    [
      ...field.opened.map(({ keyId, count: n }) => `key ${keyId}: ${count(n)}`),
      ...field.bad.map(({ code, count: n }) => `${code}: ${count(n)}`),
    ].join(', '),
  ])
  const samples = renderSamples(report.samples)
  return [
    table(['field', 'opened', 'bad', 'plaintext', 'by key'], rows),
    ...(report.indexes.length === 0 ? [] : [renderIndexChecks(report.indexes)]),
    `${count(report.opened)} values in ${count(report.rows)} rows opened in ${report.seconds.toFixed(1)} s.`,
    ...(report.isResumed ? [`Counted since ${dateOf(report.since)}, when it was begun.`] : []),
    ...(report.outcome === 'stopped' ? ['Stopped.'] : []),
    ...(report.outcome === 'cancelled' ? ['Cancelled by an operator.'] : []),
    ...(report.bad === 0 ? [] : [`${count(report.bad)} values do not open.`]),
    ...renderUnreadable(report.unreadable),
    ...renderUnplanned(report.unplanned),
    ...(report.badIndexes === 0
      ? []
      : [
          `${count(report.badIndexes)} values of blind indexes are wrong, missing or left over. Next: npx rowseal reindex --check-values`,
        ]),
    ...(samples.length === 0
      ? []
      : ['In quarantine (all: npx rowseal runs quarantine list):', ...samples]),
  ].join('\n')
}

export function renderInspection({ key, ...found }: Inspection): string {
  const rows = [
    ['form', found.form],
    ['key id', `${found.keyId} (${found.keyIdHex})`],
    ['suite', `0x0${found.suite}`],
    ['wrapped DEK', `${found.wrappedDekBytes} bytes`],
    ['ciphertext', `${found.ciphertextBytes} bytes`],
    ...(key === null
      ? [['key', 'unknown to the keyrings of this configuration']]
      : [
          ['keyring', key.keyring],
          ['key', `version ${key.version}, ${key.state}`],
          ['root key', key.rootKeyId],
        ]),
  ]
  return rows.map(([name, value]) => `  ${name!.padEnd(12)} ${value!}`).join('\n')
}
