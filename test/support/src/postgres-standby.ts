import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'

/**
 * Copy the files of a running server of this machine, so that a server on them follows it.
 *
 * @param primary - URL of a superuser.
 * @param files - the folder to make.
 * @returns flags for the server.
 * @see https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP
 */
export async function copyPrimary(primary: string, files: string): Promise<string[]> {
  const client = new Client({ connectionString: primary })
  await client.connect()
  try {
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory')
    await client.query(`SELECT pg_backup_start('standby', true)`)
    cpSync(rows[0]!.data_directory, files, { recursive: true, preserveTimestamps: true })
    const ended = await client.query<{ labelfile: string }>(
      'SELECT labelfile FROM pg_backup_stop()',
    )
    writeFileSync(join(files, 'backup_label'), ended.rows[0]!.labelfile)
  } finally {
    await client.end()
  }
  rmSync(join(files, 'postmaster.pid'))
  writeFileSync(join(files, 'standby.signal'), '')
  const { hostname, port, username, password } = new URL(primary)
  const where = `host=${hostname} port=${port} user=${username} password=${password}`
  return ['-c', `primary_conninfo=${where} application_name=standby`]
}
