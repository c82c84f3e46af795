import type { RunReport } from '../engine/events.ts'
import type { FieldAfter } from '../proof/after.ts'
import { count, table } from './output.ts'

/** What became of each field, and what the tables hold now. */
export function renderReconciliation({ models }: Pick<RunReport, 'models'>): string {
  const fields = models.flatMap(({ model, reconciliation }) =>
    reconciliation.map((field) => [
      `${model}.${field.field}`,
      field.read,
      field.changed,
      field.superseded,
      field.fresh,
      field.quarantined,
    ]),
  )
  const held = models.flatMap(({ model, after }) =>
    (after?.fields ?? []).map((field) => [
      `${model}.${field.field}`,
      ...[field.left, field.plaintext, field.malformed, field.null],
      versionsOf(field),
    ]),
  )
  return [
    table(['field, in rows', 'read', 'changed', 'superseded', 'fresh', 'quarantined'], fields),
    ...(held.length === 0
      ? []
      : [
          table(['field, now in values', 'left', 'plaintext', 'malformed', 'null', 'by key'], held),
        ]),
  ].join('\n\n')
}

/** Values by key, for people. */
export function versionsOf({ versions }: Pick<FieldAfter, 'versions'>): string {
  return versions
    .map(({ keyId, version, count: n }) =>
      version === null ? `key ${keyId}: ${count(n)}` : `v${version}: ${count(n)}`,
    )
    .join(', ')
}

/** Values that a run was to leave none of, of all models that were counted. */
export function leftIn({ models }: Pick<RunReport, 'models'>): number {
  return models.reduce((sum, { after }) => sum + (after?.left ?? 0), 0)
}
