import type { ModelSource } from '../plan/index.ts'
import { quote } from './dialect.ts'
import { allowedByCheck, refusedByTrigger, type ValueForm } from './fence-condition.ts'
import { fenceName } from './fence-name.ts'
import { indexKeyCondition } from './index-stale.ts'
import { staleCondition } from './stale.ts'
import type { SealedColumn, Table } from './table.ts'

/**
 * A fence makes the database refuse every value of a column that is under one key id, whoever writes it
 * and whenever it was sealed. docs/spec/fences.md
 *
 *   PostgreSQL     a CHECK constraint, added NOT VALID and then validated
 *   MySQL, SQLite  a trigger before INSERT and one before UPDATE: there a constraint would copy the table
 *
 * To add one, the database waits until every transaction that has written to the table is over. So what was
 * written before can be counted afterwards, and nothing comes after.
 */
export interface Fence {
  readonly field: string
  readonly column: SealedColumn
  readonly keyId: number
  /** Of the constraint; triggers have `_i` and `_u` behind it. */
  readonly name: string
  /** What the catalog has of it, one object each. */
  readonly parts: readonly FencePart[]
  /** A condition that is true where the column `t.…` holds a value under the key. */
  readonly held: string
}

export interface FencePart {
  readonly name: string
  /** PostgreSQL: `CHECK (…)`. MySQL: the body of the trigger. SQLite: the whole statement. */
  readonly definition: string
  readonly event: 'INSERT' | 'UPDATE' | null
  /** The statement that makes it; for PostgreSQL its part of an ALTER TABLE. */
  readonly add: string
}

/**
 * The fences of a table's sealed columns, or of its blind indexes, against a key id.
 *
 * @param holds - what is under the key: `sealed` for a KEK, `indexes` for an index key.
 */
export function fencesOf(
  table: Table,
  source: ModelSource,
  holds: 'sealed' | 'indexes',
  keyId: number,
): Fence[] {
  if (!Number.isInteger(keyId) || keyId < 1 || keyId > 0xffff_ffff)
    throw new TypeError('A key id is a whole number from 1 to 4294967295.')
  const form = holds === 'sealed' ? 'rs1' : 'ri1'
  return table[holds].map((column) => {
    const name = fenceName(source, column.field, keyId)
    const held =
      holds === 'sealed'
        ? staleCondition(table, column, [keyId])
        : indexKeyCondition(table, column, [keyId])
    const parts = partsOf(table, source, { form, column, name, keyId })
    return { field: column.field, column, keyId, name, parts, held }
  })
}

interface Wanted {
  readonly form: ValueForm
  readonly column: SealedColumn
  readonly name: string
  readonly keyId: number
}

function partsOf(table: Table, source: ModelSource, wanted: Wanted): FencePart[] {
  const { form, column, name, keyId } = wanted
  const events = ['INSERT', 'UPDATE'] as const
  switch (table.provider) {
    case 'postgresql': {
      const definition = `CHECK (${allowedByCheck(form, column, keyId)})`
      const add = `ADD CONSTRAINT "${name}" ${definition} NOT VALID`
      return [{ name, definition, event: null, add }]
    }
    case 'mysql':
      return events.map((event) => mysqlTrigger(table, source, wanted, event))
    case 'sqlite':
      return events.map((event) => sqliteTrigger(table, wanted, event))
  }
}

/**
 * In an update, a value that was there already may stay: a fence that was put up too early must not keep
 * others from writing the other columns of such a row.
 */
function mysqlTrigger(
  table: Table,
  source: ModelSource,
  { form, column, name, keyId }: Wanted,
  event: 'INSERT' | 'UPDATE',
): FencePart {
  const value = `NEW.${column.name}`
  const isRefused = refusedByTrigger('mysql', form, column, value, keyId)
  const exactly = (sql: string): string => (column.kind === 'text' ? `CAST(${sql} AS BINARY)` : sql)
  const isKept = `${exactly(value)} <=> ${exactly(`OLD.${column.name}`)}`
  const condition = event === 'INSERT' ? isRefused : `${isRefused} AND NOT (${isKept})`
  const definition = `IF ${condition} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '${messageOf(name, keyId)}'; END IF`
  const own = nameOfTrigger(name, event)
  // A trigger is in the schema of its table.
  const schema = source.schema === undefined ? '' : `${quote('mysql', source.schema)}.`
  const add = `CREATE TRIGGER ${schema}\`${own}\` BEFORE ${event} ON ${table.name} FOR EACH ROW ${definition}`
  return { name: own, definition, event, add }
}

function sqliteTrigger(
  table: Table,
  { form, column, name, keyId }: Wanted,
  event: 'INSERT' | 'UPDATE',
): FencePart {
  const value = `NEW.${column.name}`
  const isRefused = refusedByTrigger('sqlite', form, column, value, keyId)
  const isChanged = `${value} IS NOT OLD.${column.name} COLLATE BINARY`
  const own = nameOfTrigger(name, event)
  const [when, condition] =
    event === 'INSERT'
      ? ['INSERT', isRefused]
      : [`UPDATE OF ${column.name}`, `${isRefused} AND ${isChanged}`]
  const definition = `CREATE TRIGGER "${own}" BEFORE ${when} ON ${table.name} WHEN ${condition} BEGIN SELECT RAISE(ABORT, '${messageOf(name, keyId)}'); END`
  return { name: own, definition, event, add: definition }
}

function nameOfTrigger(name: string, event: 'INSERT' | 'UPDATE'): string {
  return `${name}_${event === 'INSERT' ? 'i' : 'u'}`
}

/** What an application is told, up to 128 characters. */
function messageOf(name: string, keyId: number): string {
  return `${name}: key ${keyId} was retired`
}
