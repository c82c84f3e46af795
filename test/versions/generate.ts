import { execFile } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { move, type Installation, type Version } from './installation.ts'
import { MODELS } from './schema.ts'

export type Generator = 'prisma-client' | 'prisma-client-js'
export type Provider = 'postgresql' | 'sqlite'

export const GENERATORS: readonly Generator[] = ['prisma-client', 'prisma-client-js']
export const PROVIDERS: readonly Provider[] = ['postgresql', 'sqlite']

/** A folder with `client/` and `rowseal.ts`, made once by this version's own `prisma generate`. */
export async function generate(
  { version, dir: root }: Installation,
  generator: Generator,
  provider: Provider,
): Promise<string> {
  const schema = schemaText(version, generator, provider)
  const id = createHash('sha256').update(schema).digest('hex').slice(0, 8)
  const dir = join(root, `${generator}-${provider}-${id}`)
  if (existsSync(dir)) return dir
  const work = join(root, randomUUID())
  mkdirSync(work)
  const file = join(work, 'schema.prisma')
  writeFileSync(file, schema)
  const prisma = createRequire(file).resolve('prisma/build/index.js')
  const env = {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    ...process.env,
    PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  }
  const args = [prisma, 'generate', '--schema', file]
  await promisify(execFile)(process.execPath, args, { cwd: work, env })
  move(work, dir)
  return dir
}

/** The file that exports `PrismaClient`. */
export function clientFile(dir: string, generator: Generator): string {
  return join(dir, generator === 'prisma-client' ? 'client/client.ts' : 'client/index.js')
}

function schemaText(version: Version, generator: Generator, provider: Provider): string {
  // Prisma 6 wants a URL, which a driver adapter never uses, and has an engine in Rust beside this one.
  const url = version === 6 ? '\n  url = "file:unused.db"' : ''
  const engine = version === 6 ? '\n  engineType = "client"' : ''
  return `datasource db {\n  provider = "${provider}"${url}\n}
generator client {\n  provider = "${generator}"\n  output = "./client"${engine}\n}
generator rowseal {\n  provider = "rowseal-generator"\n  output = "./rowseal.ts"\n}
${MODELS}`
}
