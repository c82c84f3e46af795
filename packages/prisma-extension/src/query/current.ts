import type { ModelPlan } from './compile.ts'

/**
 * The record that a top-level update or upsert is about, where its `where` does not say what a value is
 * bound to.
 *
 *   unread → the walk asks for it by throwing RecordPending → read | absent → the walk begins anew
 */
export type Current =
  | { readonly state: 'unread' }
  /** In a batch nothing can be read first. */
  | { readonly state: 'batch' }
  | { readonly state: 'absent' }
  /** Bound columns by name, as text. */
  | { readonly state: 'read'; readonly texts: Readonly<Record<string, string>> }

/** Thrown by a walk that needs the bound columns of a record: read them, walk again. */
export class RecordPending extends Error {
  readonly model: ModelPlan
  /** Names the record. */
  readonly where: unknown

  constructor(model: ModelPlan, where: unknown) {
    super('a record is being read')
    this.model = model
    this.where = where
  }
}
