// Generates the clients and plans. A generated client speaks to one kind of database only, so the one
// schema text is generated twice. An application with one database just runs `prisma generate`.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CLINIC = fileURLToPath(new URL('..', import.meta.url))
const SCHEMA = join(CLINIC, 'prisma/schema.prisma')
const GENERATED = join(CLINIC, 'generated')
const STAMP = join(GENERATED, 'stamp')

/** Are both clients there, made from this schema by these generators? */
export function isGenerated() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === fingerprint()
}

async function generate() {
  rmSync(GENERATED, { recursive: true, force: true })
  mkdirSync(GENERATED)
  const text = readFileSync(SCHEMA, 'utf8')
  const other = join(GENERATED, 'postgresql.prisma')
  writeFileSync(other, text.replaceAll('sqlite', 'postgresql'))
  await Promise.all([prismaGenerate(SCHEMA), prismaGenerate(other)])
  writeFileSync(STAMP, fingerprint())
}

async function prismaGenerate(schema) {
  const prisma = createRequire(import.meta.url).resolve('prisma/build/index.js')
  const env = {
    ...process.env,
    // Prisma finds generators on the PATH, and would download an engine that generating does not need.
    PATH: `${join(CLINIC, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
    PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY || process.execPath,
  }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [prisma, 'generate', '--schema', schema],
    { cwd: CLINIC, env },
  )
  process.stderr.write(stdout)
}

function fingerprint() {
  const hash = createHash('sha256')
    .update(readFileSync(SCHEMA))
    .update(readFileSync(import.meta.filename))
  const require = createRequire(import.meta.url)
  hash.update(readFileSync(require.resolve('prisma/package.json')))
  const extension = join(CLINIC, 'node_modules/@rowseal/prisma-extension/dist')
  for (const folder of ['schema', 'plan', 'generator'])
    for (const name of readdirSync(join(extension, folder)).sort())
      if (name.endsWith('.js'))
        hash.update(name).update(readFileSync(join(extension, folder, name)))
  return hash.digest('hex')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await generate().catch((error) => {
    process.stderr.write(`${error.stdout ?? ''}${error.stderr ?? ''}${error.message}\n`)
    process.exitCode = 1
  })
}
