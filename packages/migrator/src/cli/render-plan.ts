import type { FieldPlan, ModelPlan, Room, RunPlan } from '../plan/run-plan.ts'
import { count, table } from './output.ts'
import { versionsOf } from './render-reconciliation.ts'
import { renderMissing } from './render-staleness.ts'
import { renderUnknown } from './render-unknown.ts'
import { renderUnreadable } from './render-unreadable.ts'

/** What a run would do, for people. */
export function renderRunPlan({ models, rows, direction, unreadable, unknown }: RunPlan): string {
  return [
    table(['model', 'rows to rewrite', 'batches', 'least time', 'KMS calls'], models.map(modelRow)),
    table(
      ['field, in values', 'to change', 'by key now', 'plaintext', 'null', 'bytes', 'too long'],
      models.flatMap((model) => model.byField.map((field) => fieldRow(model, field))),
    ),
    [
      ...models.flatMap(notes),
      ...missing(direction, models),
      ...renderUnreadable(unreadable),
      ...renderUnknown(unknown),
    ].join('\n'),
    `${count(rows)} rows would be rewritten. Nothing was written.`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function modelRow({ model, rows, batches, estimate }: ModelPlan): (string | number)[] {
  const time = estimate === null ? '' : `${estimate.seconds.toFixed(1)} s`
  return [model, rows, batches, time, estimate?.kmsCalls ?? 0]
}

function fieldRow({ model }: ModelPlan, field: FieldPlan): (string | number)[] {
  const { bytes, room } = field
  return [
    `${model}.${field.field}`,
    field.changing,
    versionsOf(field),
    field.plaintext,
    field.null,
    bytes === null ? '' : `${count(bytes.before)} → ${count(bytes.after)}`,
    room === null ? '' : count(room.tooLong),
  ]
}

function notes({ model, triggers, byField, estimate }: ModelPlan): string[] {
  return [
    ...(estimate === null
      ? []
      : [
          `${model}: bytes and time by ${count(estimate.sampledRows)} rows that were opened and sealed. Time is that of reading and cryptography; writing goes on beside it, and mostly takes longer.`,
        ]),
    ...(triggers.length === 0 ? [] : [`Each row of ${model} will fire: ${triggers.join(', ')}.`]),
    ...byField.flatMap(({ field, room }) =>
      room === null ? [] : roomNotes(`${model}.${field}`, room),
    ),
  ]
}

function roomNotes(label: string, { maxLength, fitsBytes, tooLong, by }: Room): string[] {
  const longest = fitsBytes === null ? '' : `, so of values up to ${count(fitsBytes)} bytes`
  const found =
    tooLong === 0
      ? ''
      : ` ${by === 'sample' ? 'About ' : ''}${count(tooLong)} are longer, and would be put into quarantine: widen the column first.`
  return [`${label}: the column has room for ${count(maxLength)}${longest}.${found}`]
}

function missing(direction: string, models: readonly ModelPlan[]): string[] {
  if (direction !== 'drain' && direction !== 'rewrap') return []
  return renderMissing(
    models.flatMap(({ model, fields, stalenessIndexes }) =>
      fields.map((field, i) => ({ model, field, state: stalenessIndexes[i] ?? 'missing' })),
    ),
  )
}
