import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { SchemaFile } from '../schema/index.ts'
import { FIRST_LINE } from './emit.ts'

/** Read a schema: one file, or every `.prisma` file of a folder and the folders in it. */
export async function readSchemaFiles(schemaPath: string): Promise<SchemaFile[]> {
  const isFolder = (await stat(schemaPath)).isDirectory()
  const names = isFolder ? await readdir(schemaPath, { recursive: true }) : ['']
  const paths = names
    .map((name) => join(schemaPath, name))
    .filter((path) => path.endsWith('.prisma'))
  return Promise.all(
    paths
      .sort()
      .map(async (path) => ({ file: nameForPeople(path), text: await readFile(path, 'utf8') })),
  )
}

function nameForPeople(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere
}

/** True if nothing is there, or a file that begins like one this generator wrote. */
export async function isOurs(path: string): Promise<boolean> {
  const text = await readIfThere(path)
  return text === null || text.startsWith(FIRST_LINE)
}

/** Write a whole file or nothing. A file that has this text already is left alone. */
export async function replaceFile(path: string, text: string): Promise<void> {
  if ((await readIfThere(path)) === text) return
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeFile(temporary, text, { flag: 'wx', flush: true })
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Remove a plan this generator wrote; anything else stays. */
export async function removePlan(path: string): Promise<void> {
  if (await isOurs(path)) await rm(path, { force: true })
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR') return ''
    throw error
  }
}
