import { rotate } from '@rowseal/prisma-extension/keys'
import { init } from '@rowseal/migrator'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Figure } from './measure.ts'
import type { Bench } from './setup.ts'

const CHUNK = 5_000

/** Re-encrypt a table with two sealed fields of 60 bytes, on PostgreSQL on the same machine. */
export async function drain(bench: Bench, rows: number): Promise<Figure[]> {
  const config = { client: bench.base, plan: bench.plan, keyring: bench.keyring }
  await init(config)
  for (let at = 0; at < rows; at += CHUNK) {
    const data = Array.from({ length: Math.min(CHUNK, rows - at) }, (_, i) => ({
      id: at + i,
      title: `title ${at + i}`.padEnd(60, '.'),
      text: `text ${at + i}`.padEnd(60, '.'),
    }))
    await bench.sealed.note.createMany({ data })
  }
  await bench.base.$executeRawUnsafe('VACUUM ANALYZE "Note"')
  await rotate(bench.keyring)

  const { peakMb, seconds } = await rowsealDrain(bench)
  const [stale] = await bench.base.$queryRawUnsafe(
    `SELECT count(*)::int AS n FROM "Note" WHERE left(title, 13) <> (SELECT left(title, 13) FROM "Note" LIMIT 1)`,
  )
  if (stale.n !== 0) throw new Error('The drain did not finish.')
  const name = `drain ${rows.toLocaleString('en')} rows`
  return [
    { name, unit: 'rows/s', rowseal: rows / seconds, target: '>= 8,000' },
    { name: `${name}, peak memory`, unit: 'MB', rowseal: peakMb, target: '< 250' },
  ]
}

interface DrainResult {
  /** Resident memory at its highest, in MB; NaN where the system does not tell. */
  readonly peakMb: number
  readonly seconds: number
}

/** `rowseal drain`, as a user runs it, in a process of its own. */
async function rowsealDrain(bench: Bench): Promise<DrainResult> {
  const bin = new URL('../node_modules/@rowseal/migrator/bin/rowseal.mjs', import.meta.url).pathname
  const child = spawn(process.execPath, [bin, 'drain', '--now', '--json'], {
    cwd: new URL('..', import.meta.url),
    env: {
      ...process.env,
      ROWSEAL_BENCH_CLIENT: bench.clientFolder,
      ROWSEAL_BENCH_DATABASE: bench.sealedUrl,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let peakMb = NaN
  const timer = setInterval(() => (peakMb = peakOf(child.pid!) ?? peakMb), 100)
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  clearInterval(timer)
  if (code !== 0) throw new Error(`rowseal drain ended with exit code ${String(code)}.`)
  const report = JSON.parse(output)
  return { peakMb, seconds: report.seconds }
}

/** Linux keeps the high-water mark of a process's resident memory. */
function peakOf(pid: number): number | null {
  try {
    const kb = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kb === undefined ? null : (Number(kb) * 1024) / 1e6
  } catch {
    return null
  }
}
