import { QueryError } from '../errors.ts'
import type { FieldPlan, ModelPlan } from './compile.ts'

/** Errors about values that are bound to columns of their record. */

/** The error for a sealed value of a record whose bound column is not known. */
export function notKnown(
  { label }: FieldPlan,
  column: string,
  why: string,
  fix: string,
): QueryError {
  return binding(label, `${label} is bound to ${column}, ${why}.`, fix)
}

/** The error for a value of a bound column that the database may not give back. */
export function unfit({ name }: ModelPlan, column: string, problem: string): QueryError {
  const label = `${name}.${column}`
  return binding(
    label,
    `Encrypted values are bound to ${label}, and the value given for it ${problem}: the database would not give it back as it was written.`,
    `Give ${label} another value.`,
  )
}

/** The error for a write that changes a bound column under values that stay. */
export function changed(
  { name }: ModelPlan,
  column: string,
  missing: readonly FieldPlan[],
): QueryError {
  const label = `${name}.${column}`
  const fields = missing.map((field) => field.name).join(', ')
  return binding(
    label,
    `${label} cannot change without the values that are bound to it: ${fields} would no longer open.`,
    `Give ${fields} in the same update (null counts; a list whole), or leave ${column} as it is.`,
  )
}

/** The error for a change to a value that is not known. */
export function changedUnknown({ name }: ModelPlan, column: string): QueryError {
  const label = `${name}.${column}`
  return binding(
    label,
    `Encrypted values are bound to ${label}, and this update does not say what it becomes.`,
    `Set ${column} to a value, or leave it as it is.`,
  )
}

/** The error for many records whose bound column changes at once. */
export function changedInMany({ name }: ModelPlan, column: string): QueryError {
  const label = `${name}.${column}`
  return binding(
    label,
    `Encrypted values are bound to ${label}, and an update of many records would change it.`,
    'Update the records one by one, each with all values that are bound to it.',
  )
}

/** The error for a nested write that gives existing records another foreign key. */
export function moved({ name }: ModelPlan, column: string, operation: string): QueryError {
  const label = `${name}.${column}`
  return binding(
    label,
    `A nested "${operation}" would change ${label}, to which encrypted values are bound.`,
    `Update each ${name} by itself: set ${column} together with all values that are bound to it.`,
  )
}

/** The error for an upsert that may create a second record beside the one that it means. */
export function mayDuplicate({ name }: ModelPlan, columns: readonly string[]): QueryError {
  const label = `${name}.${columns[0] ?? ''}`
  return binding(
    label,
    `This upsert does not name ${columns.join(', ')} in where, and creates a record that where would not find.`,
    `Name ${columns.join(', ')} in where, or give create the same values as where.`,
  )
}

/** The error for a record that others change all the time. */
export function contended({ name }: ModelPlan): QueryError {
  return new QueryError(
    'ERR_RECORD_BINDING',
    `A column of ${name} to which encrypted values are bound was changed by somebody else meanwhile.`,
    { fix: 'Try again.', field: name, retryable: true },
  )
}

/** The error for a record that somebody else changed while records beside it were written. */
export function halfWritten({ name }: ModelPlan): QueryError {
  return binding(
    name,
    `A column of ${name} to which encrypted values are bound was changed by somebody else meanwhile: what is nested in this update was written, its own fields were not.`,
    'Update the fields again without what is nested; run such updates in a transaction, which is rolled back.',
  )
}

function binding(field: string, message: string, fix: string): QueryError {
  return new QueryError('ERR_RECORD_BINDING', message, { field, fix })
}
