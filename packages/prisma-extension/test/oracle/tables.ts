import type { Provider } from '../../src/plan/index.ts'
import {
  indexColumns,
  JOIN_TABLE,
  modelsOf,
  type Field,
  type Model,
  type Relation,
} from './models.ts'
import { mysqlText } from './schema.ts'

/** Tables by hand for MariaDB, which Prisma's schema engine cannot write here, and cheap resets for all. */

const MYSQL_TYPES: Readonly<Record<Exclude<Field['type'], 'String'>, string>> = {
  Int: 'INTEGER',
  BigInt: 'BIGINT',
  Decimal: 'DECIMAL(65, 30)',
  Boolean: 'BOOLEAN',
  DateTime: 'DATETIME(3)',
  Kind: "ENUM('CAT', 'DOG', 'EEL')",
  Json: 'JSON',
  Bytes: 'LONGBLOB',
}

/** Text compares by its code points, as on the other databases. */
const COLLATION = 'DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin'

/** The script that creates the tables on MariaDB, a statement per line. */
export function mariadbTables(isSealed: boolean): string {
  const models = modelsOf('mysql')
  const statements = models.map((model) => mariadbTable(model, isSealed))
  const { name, a, b } = JOIN_TABLE
  const end = (model: string, column: string, type: string): string =>
    `${column} ${type} NOT NULL, CONSTRAINT ${name}_${column}_fkey FOREIGN KEY (${column}) REFERENCES ${model} (${column === 'A' ? 'id' : '`key`'}) ON DELETE CASCADE ON UPDATE CASCADE`
  statements.push(
    `CREATE TABLE ${name} (${end(a, 'A', 'INTEGER')}, ${end(b, 'B', 'VARCHAR(700)')}, UNIQUE INDEX ${name}_AB_unique (A, B)) ${COLLATION}`,
  )
  return statements.map((statement) => `${statement};\n`).join('')
}

function mariadbTable(model: Model, isSealed: boolean): string {
  const columns = model.fields.flatMap((field) => [
    mariadbColumn(model, field),
    ...(isSealed ? indexColumns(field).map((column) => `${column} VARCHAR(77)`) : []),
  ])
  const unique = (names: readonly string[]): string =>
    `UNIQUE INDEX ${model.name}_${names.join('_')}_key (${names.map(quoted).join(', ')})`
  const parts = [
    ...columns,
    `PRIMARY KEY (${model.id.map(quoted).join(', ')})`,
    ...model.fields.flatMap((field) =>
      field.isUnique
        ? [unique([field.name]), ...(isSealed ? indexColumns(field) : []).map((c) => unique([c]))]
        : [],
    ),
    ...model.uniques.map(unique),
    ...(isSealed ? model.uniques.map((names) => unique(overIndex(model, names))) : []),
    ...model.relations.flatMap((relation) => foreignKey(model, relation)),
  ]
  return `CREATE TABLE ${model.name} (${parts.join(', ')}) ${COLLATION}`
}

function mariadbColumn(model: Model, field: Field): string {
  const type = field.type === 'String' ? mysqlText(model, field) : MYSQL_TYPES[field.type]
  const plainDefault =
    field.default === undefined || field.isSealed ? '' : ` DEFAULT ${literal(field)}`
  return `${quoted(field.name)} ${type}${field.isNullable ? '' : ' NOT NULL'}${plainDefault}`
}

const literal = (field: Field): string =>
  field.type === 'Kind' ? `'${field.default!}'` : field.default!

function overIndex(model: Model, names: readonly string[]): string[] {
  return names.map((name) => {
    const field = model.fields.find((field) => field.name === name)!
    return indexColumns(field)[0] ?? name
  })
}

/** As Prisma declares it: an optional relation is set to NULL, a required one restricts. */
function foreignKey(model: Model, relation: Relation): string[] {
  const { fields, references, isOptional } = relation
  if (fields === undefined) return []
  const name = `${model.name}_${fields.join('_')}_fkey`
  const onDelete = isOptional ? 'SET NULL' : 'RESTRICT'
  return [
    `CONSTRAINT ${name} FOREIGN KEY (${fields.join(', ')}) REFERENCES ${relation.model} (${references!.join(', ')}) ON DELETE ${onDelete} ON UPDATE CASCADE`,
  ]
}

const quoted = (name: string): string => `\`${name}\``

const tablesOf = (provider: Provider): string[] => [
  ...modelsOf(provider).map(({ name }) => name),
  JOIN_TABLE.name,
]

export const identifier = (provider: Provider, name: string): string =>
  provider === 'mysql' ? quoted(name) : `"${name}"`

/** Statements that keep what the tables hold now, to go back to it. */
export function keepStatements(provider: Provider): string[] {
  const id = (name: string): string => identifier(provider, name)
  return tablesOf(provider).map(
    (table) => `CREATE TABLE ${id(`kept_${table}`)} AS SELECT * FROM ${id(table)}`,
  )
}

/** Statements that bring the tables back to what was kept. */
export function resetStatements(provider: Provider): string[] {
  const id = (name: string): string => identifier(provider, name)
  const tables = tablesOf(provider)
  return [
    ...[...tables].reverse().map((table) => `DELETE FROM ${id(table)}`),
    ...tables.map((table) => `INSERT INTO ${id(table)} SELECT * FROM ${id(`kept_${table}`)}`),
  ]
}
