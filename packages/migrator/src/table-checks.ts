import { INDEX_VALUE_CHARS, sizeOfBytes, sizeOfText } from '@rowseal/prisma-extension/envelope'
import type { ModelSource } from '@rowseal/prisma-extension/plan'
import type { KeyColumn, SealedColumn, SqlClient, Table } from '@rowseal/prisma-extension/sql'
import { MigrationError } from './errors.ts'

/**
 * Can every row of a table be found by its key, and does every sealed column have room for an envelope? Looked
 * at in the database, which need not be what the schema says.
 *
 * @throws {MigrationError} `ERR_PLAN_DATABASE`
 */
export async function assertUsable(
  client: SqlClient,
  model: string,
  source: ModelSource,
  table: Table,
): Promise<void> {
  const { key, name } = table
  if (key.length === 0)
    throw unusable(model, `Model ${model} has no key by which its rows could be found again.`, {
      fix: `Give ${model} an @id, or a @unique over required fields.`,
    })
  const columns = key.map((column) => column.name).join(', ')
  if (!table.isKeyUnique)
    throw unusable(
      model,
      `Model ${model}: nothing keeps two rows of ${name} from having the same key (${columns}), and then one would be missed.`,
      { fix: `Add a primary key or a unique index over ${columns} to the table.` },
    )
  for (const column of key) await assertNotNull(client, model, table, column)
  await assertSeesAll(client, model, table)
  if (table.provider === 'mysql') {
    await assertOneTime(client, model, table)
    for (const column of key) await assertDate(client, model, table, column)
  }
  for (const column of table.sealed) assertRoom(model, name, column, leastSize(column, source))
  for (const column of table.indexes) assertRoom(model, name, column, INDEX_VALUE_CHARS)
}

/** A row without a key comes after no other one, so no page has it. */
async function assertNotNull(
  client: SqlClient,
  model: string,
  { name }: Table,
  { field, name: column, database }: KeyColumn,
): Promise<void> {
  if (!database.nullable) return
  const rows = await client.$queryRawUnsafe<unknown[]>(
    `SELECT 1 AS found FROM ${name} WHERE ${column} IS NULL LIMIT 1`,
  )
  if (rows.length > 0)
    throw unusable(
      `${model}.${field}`,
      `${model}.${field} is part of the key, and ${column} of ${name} is NULL in some row, which would be missed.`,
      { fix: `Give ${column} a value in every row, and make it NOT NULL.` },
    )
}

/**
 * PostgreSQL leaves rows out without a word where row-level security hides them, and what is not seen would count as
 * done, or as under no key.
 *
 * @param field - for the error.
 * @throws {MigrationError} `ERR_PLAN_DATABASE`
 */
export async function assertSeesAll(
  client: Pick<SqlClient, '$queryRawUnsafe'>,
  field: string,
  { provider, name }: Table,
): Promise<void> {
  if (provider !== 'postgresql') return
  const [row] = await client.$queryRawUnsafe<{ hides: boolean | null }[]>(
    'SELECT row_security_active(to_regclass($1)) AS hides',
    name,
  )
  if (row?.hides === true)
    throw unusable(
      field,
      `${field}: row-level security may hide rows of ${name} from this user, and values in them would be passed over.`,
      {
        fix: 'Connect as a user with BYPASSRLS, or as the owner of the table where it is not forced.',
      },
    )
}

/** Of the envelope of the shortest value, in characters or bytes: longer with a DEK that a KMS wraps. */
function leastSize({ field, kind }: SealedColumn, { sealed }: ModelSource): number {
  const { pad } = sealed[field]!
  return kind === 'bytes' ? sizeOfBytes(0, pad) : sizeOfText(0, pad)
}

function assertRoom(
  model: string,
  table: string,
  { field, name, kind, list, database }: SealedColumn,
  least: number,
): void {
  const { maxLength } = database
  if (list || maxLength === null || maxLength >= least) return
  const unit = kind === 'bytes' ? 'bytes' : 'characters'
  throw unusable(
    `${model}.${field}`,
    `${model}.${field}: column ${name} of ${table} holds ${maxLength} ${unit}, and what is to stand there has ${least} at least.`,
    { fix: 'Widen the column by a migration.' },
  )
}

function unusable(field: string, message: string, { fix }: { fix: string }): MigrationError {
  return new MigrationError('ERR_PLAN_DATABASE', message, { field, fix })
}

/**
 * MySQL writes a TIMESTAMP by the zone of the session. Where clocks go back, two times are written alike, and
 * the rows between them would be missed.
 */
async function assertOneTime(client: SqlClient, model: string, { key }: Table): Promise<void> {
  const column = key.find(({ database }) => database.type.startsWith('timestamp'))
  if (column === undefined) return
  const [row] = await client.$queryRawUnsafe<{ zone: string }[]>(
    `SELECT IF(@@session.time_zone = 'SYSTEM', @@system_time_zone, @@session.time_zone) AS zone`,
  )
  const zone = row?.zone ?? ''
  if (/^([+-]\d\d:\d\d|UTC|GMT|Etc\/.+)$/i.test(zone)) return
  throw unusable(
    `${model}.${column.field}`,
    `${model}.${column.field} is part of the key and a TIMESTAMP, and the connection's time zone (${zone}) may have times twice.`,
    { fix: 'Connect with a fixed offset, such as ?timezone=Z in the URL of the MariaDB adapter.' },
  )
}

/** A date that is none comes after no other one where `sql_mode` makes NULL of its text, and rows would be missed. */
async function assertDate(
  client: SqlClient,
  model: string,
  { name }: Table,
  { field, name: column, database }: KeyColumn,
): Promise<void> {
  if (!/^(date|timestamp)/.test(database.type)) return
  const type = database.type === 'date' ? 'DATE' : 'DATETIME(6)'
  const rows = await client.$queryRawUnsafe<unknown[]>(
    `SELECT 1 AS found FROM ${name} WHERE CAST(CAST(${column} AS CHAR) AS ${type}) IS NULL LIMIT 1`,
  )
  if (rows.length > 0)
    throw unusable(
      `${model}.${field}`,
      `${model}.${field} is part of the key, and ${column} of ${name} holds a date that is none in some row, such as 0000-00-00, which the session's sql_mode takes for NULL.`,
      {
        fix: 'Correct that date, or connect without NO_ZERO_DATE and NO_ZERO_IN_DATE in sql_mode.',
      },
    )
}
