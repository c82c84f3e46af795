import { EnvelopeError } from '@rowseal/prisma-extension'
import { basename } from 'node:path'
import { CONTROL_NEEDLES, SENTINEL_NEEDLES } from '../seed/sentinels.ts'
import { createDigest } from './digest.ts'
import { count, megabytes } from './print.ts'
import { scanBytes, scanFolder } from './scan.ts'
import { readRows, TABLES, type Client, type Table } from './tables.ts'
import type { Written } from './steps/write.ts'

/** Something that has to hold, or the demo fails. */
export interface Check {
  readonly name: string
  readonly ok: boolean
  /** What was seen, for people. */
  readonly says: string
}

/**
 * No sentinel in any file below a folder, in any form. The control, which is in a column that is not
 * sealed, must be found: otherwise the search does not see what is there.
 *
 * @param control - in how many of the files.
 */
export function checkFiles(name: string, folder: string, control: 'some' | 'every'): Check {
  const { files, bytes, found } = scanFolder(folder, SENTINEL_NEEDLES)
  const [leak] = found
  if (leak !== undefined)
    return fails(name, `${basename(leak.where)} holds a sentinel as ${leak.form}`)
  const seen = new Set(scanFolder(folder, CONTROL_NEEDLES).found.map(({ where }) => where))
  if (seen.size < (control === 'every' ? files : 1))
    return fails(name, 'the search missed the control, which is there in the clear')
  return passes(
    name,
    `no sentinel in ${count(files)} ${files === 1 ? 'file' : 'files'}, ${megabytes(bytes)}`,
  )
}

/** No sentinel in what this process printed. */
export function checkOutput(printed: Buffer): Check {
  const [leak] = scanBytes('the output', printed, SENTINEL_NEEDLES)
  return leak === undefined
    ? passes('output', `no sentinel in ${count(printed.length)} bytes printed`)
    : fails('output', `a sentinel was printed as ${leak.form}`)
}

/** Every value of every row reads back equal to what was written. */
export async function checkValues(
  prisma: Client,
  written: ReadonlyMap<string, Written>,
): Promise<{ check: Check; digests: Record<string, { written: string; read: string | null }> }> {
  const digests: Record<string, { written: string; read: string | null }> = {}
  const wrong: string[] = []
  for (const table of TABLES) {
    const { digest, fields } = written.get(table.model)!
    const read = await digestOf(prisma, table, fields)
    digests[table.model] = { written: digest, read: read.digest }
    if (read.digest !== digest) wrong.push(`${table.model} ${read.problem ?? 'differs'}`)
  }
  const rows = [...written.values()].reduce((sum, table) => sum + table.rows, 0)
  return {
    digests,
    check:
      wrong.length === 0
        ? passes('values', `all ${count(rows)} rows read back as they were written`)
        : fails('values', wrong.join(', ')),
  }
}

/** A digest of null, with a problem, if a value does not open. */
async function digestOf(
  prisma: Client,
  table: Table,
  fields: readonly string[],
): Promise<{ digest: string | null; problem?: string }> {
  const digest = createDigest()
  try {
    for await (const row of readRows(prisma, table)) digest.add(row, fields)
    return { digest: digest.hex() }
  } catch (error) {
    if (error instanceof EnvelopeError) return { digest: null, problem: error.code }
    throw error
  }
}

/** `updatedAt` did not move in any row. */
export function checkUpdatedAt(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Check {
  const moved = [...before].filter(([row, time]) => after.get(row) !== time).length
  return moved === 0 && after.size === before.size
    ? passes('updatedAt', `did not move in ${count(before.size)} rows`)
    : fails('updatedAt', `moved in ${count(moved)} of ${count(before.size)} rows`)
}

export function passes(name: string, says: string): Check {
  return { name, ok: true, says }
}

export function fails(name: string, says: string): Check {
  return { name, ok: false, says }
}
