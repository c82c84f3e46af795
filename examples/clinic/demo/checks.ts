import { CONTROL_NEEDLES, SENTINEL_NEEDLES } from '../seed/sentinels.ts'
import { createDigest } from './digest.ts'
import { count, megabytes } from './print.ts'
import { scanBytes, scanFolder } from './scan.ts'
import { readRows, TABLES, type Client } from './tables.ts'
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
 */
export function checkFiles(name: string, folder: string): Check {
  const { files, bytes, found } = scanFolder(folder, SENTINEL_NEEDLES)
  const [leak] = found
  if (leak !== undefined)
    return fails(name, `${leak.where} holds a sentinel as ${leak.form} at byte ${leak.offset}`)
  if (scanFolder(folder, CONTROL_NEEDLES).found.length === 0)
    return fails(name, 'the search missed the control, which is there in the clear')
  return passes(name, `no sentinel in ${count(files)} files, ${megabytes(bytes)}`)
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
): Promise<Check> {
  let rows = 0
  for (const table of TABLES) {
    const expected = written.get(table.model)!
    const digest = createDigest()
    for await (const row of readRows(prisma, table)) digest.add(row, expected.fields)
    rows += digest.rows
    if (digest.rows !== expected.rows)
      return fails('values', `${table.model} has ${digest.rows} rows, not ${expected.rows}`)
    if (digest.hex() !== expected.digest)
      return fails('values', `${table.model} reads back other values than were written`)
  }
  return passes('values', `all ${count(rows)} rows read back as they were written`)
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
