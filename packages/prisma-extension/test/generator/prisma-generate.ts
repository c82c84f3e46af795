import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect } from 'vitest'

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
/** It depends on the extension, so its `.bin` has our generator. */
const DEPENDENT = join(REPOSITORY, 'test/support')
const EXTENSION = join(REPOSITORY, 'packages/prisma-extension')

export interface Run {
  readonly dir: string
  readonly exitCode: number
  readonly stdout: string
  /** Without colours. */
  readonly stderr: string
  /** Text of the generated plan, null if there is none. */
  readonly plan: string | null
  importPlan(): Promise<any>
}

/** A folder inside the repository, in which packages resolve. */
export function newFolder(): string {
  const parent = join(DEPENDENT, '.tmp')
  mkdirSync(parent, { recursive: true })
  return mkdtempSync(join(parent, 'generate-'))
}

export function remove(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

export const OURS =
  'generator rowseal {\n  provider = "rowseal-generator"\n  output = "./rowseal.ts"\n}\n'

export function datasource(provider: string): string {
  return `datasource db {\n  provider = "${provider}"\n}\n`
}

/** Run the real `prisma generate` on files, by path below `dir`; `schema` names the file or folder. */
export async function prismaGenerate(
  dir: string,
  files: Readonly<Record<string, string>>,
  { schema = 'schema.prisma', plan = 'rowseal.ts', bin = '' } = {},
): Promise<Run> {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    writeFileSync(join(dir, path), text)
  }
  const prisma = createRequire(join(DEPENDENT, 'package.json')).resolve('prisma/build/index.js')
  const env = {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    ...process.env,
    NO_COLOR: '1',
    PATH: `${bin}:${join(DEPENDENT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  }
  const args = [prisma, 'generate', '--schema', join(dir, schema)]
  const result = await new Promise<Pick<Run, 'exitCode' | 'stdout' | 'stderr'>>((done) => {
    execFile(process.execPath, args, { env, cwd: dir }, (error, stdout, stderr) => {
      done({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
  const path = join(dir, plan)
  return {
    dir,
    ...result,
    plan: existsSync(path) ? readFileSync(path, 'utf8') : null,
    importPlan: () => import(`${pathToFileURL(path).href}?${String(Math.random())}`),
  }
}

/** What Prisma passes to a generator for these files: the real thing, to be changed and passed to ours. */
export async function generatorOptions(
  dir: string,
  files: Readonly<Record<string, string>>,
): Promise<any> {
  const helper = createRequire(join(EXTENSION, 'package.json')).resolve('@prisma/generator-helper')
  const script = `#!/usr/bin/env node
require(${JSON.stringify(helper)}).generatorHandler({
  onManifest: () => ({ defaultOutput: './rowseal.ts' }),
  onGenerate: (options) => require('node:fs').writeFileSync('options.json', JSON.stringify(options)),
})`
  writeFileSync(join(dir, 'capture.cjs'), script)
  chmodSync(join(dir, 'capture.cjs'), 0o755)
  const run = await prismaGenerate(dir, files, { bin: dir })
  expect(run.exitCode, run.stderr).toBe(0)
  return JSON.parse(readFileSync(join(dir, 'options.json'), 'utf8'))
}

/** The problems Rowseal reported, as `line name code` → texts. */
export function problemsOf({ stderr }: Run): Record<string, string[]> {
  const entries = stderr.split('\n\n').filter((part) => /\[ERR_[A-Z_]+\]\n/.test(part))
  return Object.fromEntries(
    entries.map((entry) => {
      const [head = '', ...lines] = entry.trim().split('\n')
      return [head.replaceAll(/ {2}/g, ' '), lines.map((line) => line.trim())]
    }),
  )
}

/** Assert that a schema is refused for exactly these reasons: head of the entry → a part of its text. */
export function expectProblems(run: Run, expected: Readonly<Record<string, string>>): void {
  const problems = problemsOf(run)
  expect(Object.keys(problems).sort()).toEqual(Object.keys(expected).sort())
  for (const [head, part] of Object.entries(expected)) {
    expect(problems[head]?.join('\n'), head).toContain(part)
    expect(
      problems[head]?.some((line) => line.startsWith('Fix: ')),
      head,
    ).toBe(true)
  }
  const count = Object.values(problems)
    .flat()
    .filter((line) => line.startsWith('Fix: ')).length
  expect(run.stderr).toMatch(new RegExp(`Rowseal found ${count} problems? in the schema`))
  expect(run.exitCode).toBe(1)
  expect(run.plan).toBeNull()
}
