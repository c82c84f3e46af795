import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { clientFile, generate, GENERATORS } from './generate.ts'
import { install } from './installation.ts'

const TEMPLATE = fileURLToPath(new URL('types.template.ts', import.meta.url))
const BASE = fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url))

describe.each([6, 7] as const)('types with Prisma %s', (version) => {
  it.each(GENERATORS)('and %s are those of the plain client', async (generator) => {
    const dir = await generate(install(version), generator, 'sqlite')
    const file = join(dir, 'types.ts')
    const client = clientFile('.', generator)
    writeFileSync(file, readFileSync(TEMPLATE, 'utf8').replace('./client/client.ts', `./${client}`))
    const config = {
      extends: BASE,
      compilerOptions: { noEmit: true, declaration: false },
      files: ['types.ts'],
    }
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
    const run = promisify(execFile)(process.execPath, [tsc, '-p', dir], { cwd: dir })
    const errors = await run.then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    )
    expect(errors).toBe('')
  })
})
