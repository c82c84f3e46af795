import { openEnvelope, parseBytes, parseText, type Envelope } from '../envelope/index.ts'
import { RowsealError } from '../errors.ts'
import type { FieldKeyring, Opened } from '../keys/index.ts'
import type { Dek } from '../keys/types.ts'
import type { Provider } from '../plan/index.ts'
import { sealValue, type FieldPlan, type ModelPlan, type StaleField } from '../query/index.ts'
import {
  isList,
  loadTable,
  RawJson,
  swapAlone,
  type ColumnScalar,
  type SqlClient,
  type StoredScalar,
  type StoredValue,
  type SwapRow,
  type Table,
} from '../sql/index.ts'
import { strictMode, type AssertStrict } from './strict-mode.ts'

/** A record that waits for re-encryption: its key in text form, and the stored values that were read. */
export interface PendingRecord {
  readonly key: readonly string[]
  readonly stored: ReadonlyMap<FieldPlan, ReadValue>
}

/** A stored value, with what its AAD holds of its record. */
export type ReadValue = Pick<StaleField, 'stored' | 'bound'>

/** What became of a batch, in records. */
export interface Swapped {
  readonly done: number
  /** Changed or locked by somebody else, or not stale any more. */
  readonly superseded: number
  /** Those that no longer open. */
  readonly failed: number
  /** Of one of them. */
  readonly error: RowsealError | null
}

/** Rewrite a batch of one table. */
export type RecordSwapper = (
  model: ModelPlan,
  records: readonly PendingRecord[],
) => Promise<Swapped>

/**
 * Rewrites by compare-and-swap on the exact bytes that were read, a batch at a time, through the
 * un-extended client: no hook runs, `@updatedAt` stays, and a concurrent write wins.
 */
export function recordSwapper(
  client: SqlClient,
  provider: Provider,
  assertStrict: AssertStrict = strictMode(client, provider),
): RecordSwapper {
  /** By the model's source: each tenant's plan has models of its own over the same. */
  const tables = new Map<ModelPlan['source'], Table>()
  return async (model, records) => {
    const { rows, fields, failed, error } = await reseal(records)
    if (rows.length === 0) return { done: 0, superseded: records.length - failed, failed, error }
    await assertStrict(undefined)
    let table = tables.get(model.source)
    if (table === undefined) {
      table = await loadTable(client, provider, model.source, model.name)
      tables.set(model.source, table)
    }
    const names = fields.map((field) => field.name)
    const done = await swapAlone(client, table, names, rows)
    return { done, superseded: records.length - failed - done, failed, error }
  }
}

/** One stale envelope of a record. */
interface Site {
  readonly field: FieldPlan
  /** Place in a list; null for a single value. */
  readonly at: number | null
  readonly envelope: Envelope
  readonly bound: readonly Buffer[]
  /** Index of its key among those asked of the field's keyring. */
  readonly slot: number
}

interface Work {
  readonly record: PendingRecord
  readonly sites: readonly Site[]
}

interface Resealed {
  readonly rows: readonly SwapRow[]
  /** The fields that the rows are about. */
  readonly fields: readonly FieldPlan[]
  readonly failed: number
  readonly error: RowsealError | null
}

/** Open what is still stale, and seal it again under one fresh DEK per record. */
async function reseal(records: readonly PendingRecord[]): Promise<Resealed> {
  const wanted = new Map<FieldKeyring, Envelope[]>()
  const work: Work[] = []
  for (const record of records) {
    const sites = staleSites(record, wanted)
    if (sites.length > 0) work.push({ record, sites })
  }
  const keys = new Map<FieldKeyring, readonly Opened[]>()
  const deks = new Map<FieldKeyring, readonly Dek[]>()
  for (const [keyring, envelopes] of wanted) {
    keys.set(keyring, await keyring.forProcessEach(envelopes))
    deks.set(keyring, await keyring.forProtect(work.length))
  }
  const fields = [...new Set(work.flatMap(({ sites }) => sites.map(({ field }) => field)))]
  const rows: SwapRow[] = []
  let error: RowsealError | null = null
  for (const [i, { record, sites }] of work.entries()) {
    try {
      const next = rewrite(record, sites, keys, (keyring) => deks.get(keyring)?.[i])
      rows.push(rowOf(record, fields, next))
    } catch (thrown) {
      if (!(thrown instanceof RowsealError)) throw thrown
      error = thrown
    }
  }
  return { rows, fields, failed: work.length - rows.length, error }
}

/** The key may have become active again while the record waited, or be active elsewhere already. Plaintext is never sealed by a read. */
function staleSites(record: PendingRecord, wanted: Map<FieldKeyring, Envelope[]>): Site[] {
  const sites: Site[] = []
  for (const [field, { stored, bound }] of record.stored) {
    const elements = isList(stored) ? stored : [stored]
    for (const [i, element] of elements.entries()) {
      const envelope = parse(element)
      if (envelope === null || !field.keyring.mayReplace(envelope.keyId)) continue
      let envelopes = wanted.get(field.keyring)
      if (envelopes === undefined) wanted.set(field.keyring, (envelopes = []))
      const slot = envelopes.push(envelope) - 1
      sites.push({ field, at: isList(stored) ? i : null, envelope, bound, slot })
    }
  }
  return sites
}

/** The new values of a record's stale fields. */
function rewrite(
  record: PendingRecord,
  sites: readonly Site[],
  keys: ReadonlyMap<FieldKeyring, readonly Opened[]>,
  dekOf: (keyring: FieldKeyring) => Dek | undefined,
): Map<FieldPlan, StoredValue> {
  const next = new Map<FieldPlan, StoredValue>()
  for (const { field, at, envelope, bound, slot } of sites) {
    const key = keys.get(field.keyring)?.[slot]
    const dek = dekOf(field.keyring)
    if (key === undefined || dek === undefined) throw new TypeError('No key for a collected value.')
    if (key instanceof RowsealError) throw key
    const plaintext = openEnvelope(envelope, key, field.aad(envelope.suite, bound), field.label)
    const sealed = sealValue(field, dek, plaintext, bound)
    plaintext.fill(0)
    if (at === null) next.set(field, sealed)
    else {
      const stored = record.stored.get(field)?.stored as readonly StoredScalar[]
      const list = next.get(field) ?? [...stored]
      ;(list as StoredScalar[])[at] = sealed
      next.set(field, list)
    }
  }
  return next
}

function rowOf(
  { key, stored }: PendingRecord,
  fields: readonly FieldPlan[],
  next: ReadonlyMap<FieldPlan, StoredValue>,
): SwapRow {
  const column = (field: FieldPlan, value: StoredValue | undefined): SwapRow['old'][number] => {
    if (value === undefined || !next.has(field)) return null
    return isList(value) ? value.map((element) => columnElement(field, element)) : value
  }
  return {
    key,
    old: fields.map((field) => column(field, stored.get(field)?.stored)),
    next: fields.map((field) => column(field, next.get(field))),
  }
}

/** Plaintext beside envelopes in a list of Json may be any JSON. */
function columnElement(field: FieldPlan, element: unknown): ColumnScalar {
  const isOther = field.spec.type === 'Json' && typeof element !== 'string'
  return isOther ? new RawJson(JSON.stringify(element)) : (element as StoredScalar)
}

function parse(element: unknown): Envelope | null {
  if (typeof element === 'string') return parseText(element)
  return element instanceof Uint8Array ? parseBytes(element) : null
}
