import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  database,
  generatedClient,
  headCommit,
  startKms,
  startMariadb,
  startPostgres,
} from '@rowseal/test-support'
import type { Provider, Spec } from './instance.ts'
import { render, resultOf, type Ended } from './result.ts'
import { SCHEMA } from './schema.ts'
import type { Sample } from './verdict.ts'

// One process with mixed load, a rotation every minute and a drain after each; afterwards what it held is looked at.
// Exit code 1 if memory or handles were lost, or its end was not clean.
//
//   npm run test:soak -- [--minutes 60] [--seed 1] [--provider postgresql|mysql] [--rate 40] [--json]

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    provider: { type: 'string', default: 'postgresql' },
    rate: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
})
const provider = values.provider as Provider
if (!['postgresql', 'mysql'].includes(provider)) throw new TypeError('--provider: which is that?')
const [minutes, seed, rate] = [values.minutes, values.seed, values.rate].map(Number) as [
  number,
  number,
  number,
]
const REGION = 'eu-central-1'
/** Of what runs: there may be another by the end. */
const COMMIT = headCommit()
/** After its last word: whoever takes longer is kept alive by something. */
const EXIT_MS = 15_000

/** Until the process under test has ended. */
async function live(spec: Spec): Promise<Ended> {
  writeFileSync(spec.file, '')
  const program = new URL('subject.ts', import.meta.url).pathname
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', program], {
    cwd: import.meta.dirname,
    env: { ...process.env, SOAK_SPEC: JSON.stringify(spec), NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const watch = setInterval(() => {
    const { end } = linesOf(spec.file)
    if (end !== null && Date.now() - end.ms > EXIT_MS) child.kill('SIGKILL')
  }, 1000)
  const how = await new Promise<string>((done) => {
    child.once('exit', (code, signal) => done(signal ?? `exit ${String(code)}`))
  })
  clearInterval(watch)
  return { ...linesOf(spec.file), how, exitMs: Date.now() - (linesOf(spec.file).end?.ms ?? 0) }
}

function linesOf(file: string): Pick<Ended, 'samples' | 'end'> {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  const samples: Sample[] = lines.filter(({ at }) => at === 'sample')
  return { samples, end: lines.find(({ at }) => at === 'end') ?? null }
}

async function main(): Promise<number> {
  const kms = await startKms({ region: REGION })
  const server = provider === 'mysql' ? await startMariadb() : await startPostgres()
  const folder = join(import.meta.dirname, '.tmp', `run-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  try {
    const variable = provider === 'mysql' ? 'ROWSEAL_TEST_MARIADB_URL' : 'ROWSEAL_TEST_POSTGRES_URL'
    process.env[variable] = server.url
    const db = await database(provider)
    const generated = await generatedClient({ provider, schema: SCHEMA })
    await db.exec(generated.ddl)
    const ended = await live({
      ...{ provider, url: db.url, client: generated.dir, minutes, seed, rate },
      kms: { endpoint: kms.url, keyId: kms.createKey(), region: REGION },
      file: join(folder, 'lines.jsonl'),
    })
    const result = resultOf(ended, {
      ...{ provider, minutes, seed, rate, ended: new Date().toISOString() },
      commit: COMMIT,
      node: process.version,
      machine: `${cpus().length} cores ${cpus()[0]?.model ?? ''}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    })
    console.log(values.json ? JSON.stringify(result, null, 2) : render(result))
    return result.holds ? 0 : 1
  } finally {
    await server.stop()
    await kms.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

process.exitCode = await main()
