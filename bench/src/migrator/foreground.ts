// A process of its own: an application that reads and writes single rows at a steady rate.
//   foreground.ts SECONDS ROWS   prints the median latency of both, in milliseconds
import { setTimeout as sleep } from 'node:timers/promises'
import { rowseal } from '@rowseal/prisma-extension'
import { quantile } from '../measure.ts'
import config from '../../rowseal.config.ts'

const [seconds, rows] = process.argv.slice(2).map(Number) as [number, number]
const PAUSE_MS = 5
const { client, plan, keyring } = config as any
const prisma = client.$extends(rowseal({ plan, keyring }))

async function once(i: number): Promise<number> {
  const where = { id: Math.floor(Math.random() * rows) }
  const began = performance.now()
  if (i % 2 === 0) await prisma.note.findUnique({ where })
  else await prisma.note.update({ where, data: { title: `title ${i}`.padEnd(60, '.') } })
  return performance.now() - began
}

// Warm-up.
for (let i = 0; i < 100; i++) await once(i)
const times: number[] = []
for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
  times.push(await once(times.length))
  await sleep(PAUSE_MS)
}
times.sort((a, b) => a - b)
console.log(
  JSON.stringify({ median: quantile(times, 0.5), p95: quantile(times, 0.95), calls: times.length }),
)
process.exit(0)
