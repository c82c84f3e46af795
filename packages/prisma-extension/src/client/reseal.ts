import { openEnvelope, parseBytes, parseText, type Envelope } from '../envelope/index.ts'
import type { Keyring } from '../keys/index.ts'
import type { Dek } from '../keys/types.ts'
import type { KeyObject } from 'node:crypto'
import type { Provider } from '../plan/index.ts'
import { sealValue, type FieldPlan, type ModelPlan } from '../query/index.ts'
import {
  loadTable,
  swapStatement,
  type SqlClient,
  type StoredScalar,
  type StoredValue,
  type SwapRow,
  type Table,
} from '../sql/index.ts'

/** A record that waits for re-encryption: its key in text form, and the stored values that were read. */
export interface PendingRecord {
  readonly key: readonly string[]
  readonly stored: ReadonlyMap<FieldPlan, StoredValue>
}

/** Rewrite a batch of one table; gives the number of records that were. */
export type RecordSwapper = (model: ModelPlan, records: readonly PendingRecord[]) => Promise<number>

/**
 * Rewrites by compare-and-swap on the exact bytes that were read, in one statement per batch, through the
 * un-extended client: no hook runs, `@updatedAt` stays, and a concurrent write wins.
 */
export function recordSwapper(client: SqlClient, provider: Provider): RecordSwapper {
  const tables = new Map<ModelPlan, Table>()
  return async (model, records) => {
    let table = tables.get(model)
    if (table === undefined) {
      table = await loadTable(client, provider, model.source)
      tables.set(model, table)
    }
    const fields = [...model.sealed.values()]
    const rows = await resealed(fields, records)
    const statement = swapStatement(
      table,
      fields.map((field) => field.name),
      rows,
    )
    return execute(client, provider, statement)
  }
}

/** Open every stale value, and seal it again under one fresh DEK per record. */
async function resealed(
  fields: readonly FieldPlan[],
  records: readonly PendingRecord[],
): Promise<SwapRow[]> {
  const wanted = new Map<Keyring, Envelope[]>()
  for (const { stored } of records) {
    for (const [field, value] of stored) {
      for (const element of elements(value)) {
        const envelope = parse(element)
        if (envelope !== null) push(wanted, field.keyring, envelope)
      }
    }
  }
  const keys = new Map<Keyring, readonly KeyObject[]>()
  const deks = new Map<Keyring, readonly Dek[]>()
  for (const [keyring, envelopes] of wanted) {
    keys.set(keyring, await keyring.forProcess(envelopes))
    deks.set(keyring, await keyring.forProtect(records.length))
  }
  // The same walk once more: keys come out in the order they were asked for.
  const used = new Map<Keyring, number>()
  const nextKey = (keyring: Keyring): KeyObject | undefined => {
    const index = used.get(keyring) ?? 0
    used.set(keyring, index + 1)
    return keys.get(keyring)?.[index]
  }
  return records.map(({ key, stored }, row) => {
    const next = new Map<FieldPlan, StoredValue>()
    for (const [field, value] of stored) {
      const dek = deks.get(field.keyring)?.[row]
      next.set(
        field,
        mapElements(value, (element) => resealOne(field, element, dek, nextKey)),
      )
    }
    return {
      key,
      old: fields.map((field) => stored.get(field) ?? null),
      next: fields.map((field) => next.get(field) ?? null),
    }
  })
}

function resealOne(
  field: FieldPlan,
  element: StoredScalar,
  dek: Dek | undefined,
  nextKey: (keyring: Keyring) => KeyObject | undefined,
): StoredScalar {
  const envelope = parse(element)
  // Plaintext among the elements of a list stays as it is: a read never seals it.
  if (envelope === null) return element
  const key = nextKey(field.keyring)
  if (key === undefined || dek === undefined) throw new TypeError('No key for a collected value.')
  return sealValue(field, dek, openEnvelope(envelope, key, field.aad(envelope.suite)))
}

/** On SQLite a lone statement may be lost without an error after SQLITE_BUSY; a commit fails loudly. */
async function execute(
  client: SqlClient,
  provider: Provider,
  { sql, params }: { sql: string; params: readonly unknown[] },
): Promise<number> {
  const swap = client.$executeRawUnsafe(sql, ...params)
  if (provider !== 'sqlite') return swap
  const [count] = await client.$transaction([swap, client.$queryRawUnsafe('SELECT 1')])
  return count as number
}

function parse(element: StoredScalar): Envelope | null {
  return typeof element === 'string' ? parseText(element) : parseBytes(element)
}

function elements(value: StoredValue): readonly StoredScalar[] {
  return isList(value) ? value : [value]
}

function mapElements(
  value: StoredValue,
  map: (element: StoredScalar) => StoredScalar,
): StoredValue {
  return isList(value) ? value.map(map) : map(value)
}

function isList(value: StoredValue): value is readonly StoredScalar[] {
  return Array.isArray(value)
}

function push(wanted: Map<Keyring, Envelope[]>, keyring: Keyring, envelope: Envelope): void {
  const envelopes = wanted.get(keyring)
  if (envelopes === undefined) wanted.set(keyring, [envelope])
  else envelopes.push(envelope)
}
