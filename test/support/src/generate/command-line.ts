import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The file that `npx prisma` runs. */
export const PRISMA = createRequire(import.meta.url).resolve('prisma/build/index.js')

/** Of the command, whose working directory is the schema's folder. */
export const ARGUMENTS = ['generate', '--schema', 'schema.prisma']

/** Generating needs no schema engine, which would be downloaded, and nobody asks for a newer version. */
export const SETTINGS = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }

const BINARIES = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))

/** Run the command itself, in a process of its own: `PrismaGenerate` as users have it. */
export async function prismaCommand(folder: string): Promise<void> {
  const PATH = `${BINARIES}${delimiter}${process.env['PATH'] ?? ''}`
  await promisify(execFile)(process.execPath, [PRISMA, ...ARGUMENTS], {
    env: { ...SETTINGS, ...process.env, PATH },
    cwd: join(folder),
  })
}
