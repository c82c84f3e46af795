import type { GeneratorOptions } from '@prisma/generator-helper'
import { writeFileSync } from 'node:fs'

/**
 * The tables of a schema on MySQL and MariaDB, as far as tests use Prisma's schema language: Prisma's
 * WebAssembly engine writes no DDL for them, and its native one must be downloaded.
 */

type Datamodel = GeneratorOptions['dmmf']['datamodel']
type Model = Datamodel['models'][number]
type Field = Model['fields'][number]

const TYPES: Readonly<Record<string, string>> = {
  String: 'VARCHAR(191)',
  Json: 'JSON',
  Bytes: 'LONGBLOB',
  Int: 'INT',
  BigInt: 'BIGINT',
  Boolean: 'BOOLEAN',
  Float: 'DOUBLE',
  Decimal: 'DECIMAL(65,30)',
  DateTime: 'DATETIME(3)',
}
const ACTIONS: Readonly<Record<string, string>> = {
  Cascade: 'CASCADE',
  Restrict: 'RESTRICT',
  NoAction: 'NO ACTION',
  SetNull: 'SET NULL',
  SetDefault: 'SET DEFAULT',
}

/** What `mysql-ddl-generator.ts` does: write the tables into `output`. */
export function writeMysqlDdl({ dmmf, generator }: GeneratorOptions): void {
  writeFileSync(generator.output?.value ?? 'ddl.sql', mysqlDdl(dmmf.datamodel))
}

/** A statement a line or more; each ends with a semicolon at the end of a line. */
export function mysqlDdl(datamodel: Datamodel): string {
  const statements = [
    ...datamodel.models.map((model) => createTable(datamodel, model)),
    ...datamodel.models.flatMap((model) => foreignKeys(datamodel, model)),
    ...joinTables(datamodel),
  ]
  return statements.map((statement) => `${statement};\n`).join('')
}

function createTable(datamodel: Datamodel, model: Model): string {
  const columns = model.fields
    .filter((field) => field.kind !== 'object')
    .map((field) => `${q(columnOf(field))} ${columnType(datamodel, field)}${constraints(field)}`)
  const keys = datamodel.indexes
    .filter((index) => index.model === model.name)
    .map(({ type, fields, dbName }) => {
      const names = columnsOf(
        model,
        fields.map((field) => field.name),
      )
      if (type === 'id') return `PRIMARY KEY (${list(names)})`
      const suffix = type === 'unique' ? 'key' : 'idx'
      const name = dbName ?? `${tableOf(model)}_${names.join('_')}_${suffix}`
      return `${type === 'unique' ? 'UNIQUE ' : ''}INDEX ${q(name)} (${list(names)})`
    })
  return `CREATE TABLE ${q(tableOf(model))} (\n  ${[...columns, ...keys].join(',\n  ')}\n)`
}

function columnType(datamodel: Datamodel, field: Field): string {
  if (field.kind === 'enum') {
    const values = datamodel.enums.find((one) => one.name === field.type)?.values ?? []
    return `ENUM(${values.map((value) => text(value.dbName ?? value.name)).join(', ')})`
  }
  const [native, args = []] = field.nativeType ?? []
  const unsigned = native?.startsWith('Unsigned') === true
  const name = native === undefined ? TYPES[field.type] : native.replace('Unsigned', '')
  if (name === undefined) throw new Error(`${field.name}: no type for ${field.type} is known here.`)
  return `${name.toUpperCase()}${args.length > 0 ? `(${args.join(',')})` : ''}${unsigned ? ' UNSIGNED' : ''}`
}

function constraints(field: Field): string {
  const nullable = field.isRequired ? ' NOT NULL' : ''
  const value = field.default
  if (value === undefined) return nullable
  if (typeof value !== 'object') {
    // Text columns take no literal, but an expression.
    const literal = typeof value === 'string' ? text(value) : String(value)
    return `${nullable} DEFAULT ${field.kind === 'enum' ? literal : `(${literal})`}`
  }
  if (!('name' in value)) return nullable
  if (value.name === 'autoincrement') return `${nullable} AUTO_INCREMENT`
  if (value.name === 'now') return `${nullable} DEFAULT CURRENT_TIMESTAMP(3)`
  if (value.name === 'dbgenerated') return `${nullable} DEFAULT ${String(value.args[0])}`
  return nullable
}

function foreignKeys(datamodel: Datamodel, model: Model): string[] {
  return model.fields
    .filter((field) => (field.relationFromFields?.length ?? 0) > 0)
    .map((field) => {
      const target = datamodel.models.find((one) => one.name === field.type)!
      const from = columnsOf(model, field.relationFromFields ?? [])
      const to = columnsOf(target, field.relationToFields ?? [])
      const otherwise = field.isRequired ? 'Restrict' : 'SetNull'
      return `ALTER TABLE ${q(tableOf(model))} ADD CONSTRAINT ${q(`${tableOf(model)}_${from.join('_')}_fkey`)} FOREIGN KEY (${list(from)})
  REFERENCES ${q(tableOf(target))} (${list(to)}) ON DELETE ${ACTIONS[field.relationOnDelete ?? otherwise]} ON UPDATE ${ACTIONS[field.relationOnUpdate ?? 'Cascade']}`
    })
}

/** Relations with a list on both sides, and no model between. */
function joinTables(datamodel: Datamodel): string[] {
  const ends = new Map<string, string[]>()
  for (const model of datamodel.models)
    for (const { relationName, type, isList, relationFromFields } of model.fields) {
      if (relationName === undefined || !isList || relationFromFields?.length !== 0) continue
      ends.set(relationName, [...(ends.get(relationName) ?? []), type])
    }
  const both = [...ends].filter(([, models]) => models.length === 2)
  return both.flatMap(([name, models]) => {
    const table = `_${name}`
    const targets = models
      .toSorted()
      .map((type) => datamodel.models.find((one) => one.name === type)!)
    const ids = targets.map((target) => target.fields.find((field) => field.isId)!)
    const columns = ['A', 'B'].map(
      (name, i) => `${q(name)} ${columnType(datamodel, ids[i]!)} NOT NULL`,
    )
    const keys = ['A', 'B'].map(
      (name, i) =>
        `CONSTRAINT ${q(`${table}_${name}_fkey`)} FOREIGN KEY (${q(name)}) REFERENCES ${q(tableOf(targets[i]!))} (${q(columnOf(ids[i]!))}) ON DELETE CASCADE ON UPDATE CASCADE`,
    )
    return `CREATE TABLE ${q(table)} (\n  ${[...columns, 'PRIMARY KEY (`A`, `B`)', ...keys].join(',\n  ')}\n)`
  })
}

function columnsOf(model: Model, fields: readonly string[]): string[] {
  return fields.map((name) => columnOf(model.fields.find((field) => field.name === name)!))
}

function tableOf(model: Model): string {
  return model.dbName ?? model.name
}

function columnOf(field: Field): string {
  return field.dbName ?? field.name
}

function q(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function list(names: readonly string[]): string {
  return names.map(q).join(', ')
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
