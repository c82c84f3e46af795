// Fuzzes the reading of envelopes. Each run makes two inputs, a text and bytes:
//
//   npm run fuzz -- [runs, default 5000000] [seed, default 1]
//
// The first input that is read otherwise than the specification says ends it, with the smallest such input.
import fc from 'fast-check'
import { fault, input, type Outcome } from './envelopes.ts'

const CHUNK = 100_000
// Most inputs end in an error, whose stack nobody reads.
Error.stackTraceLimit = 0
const [runs = '5000000', seed = '1'] = process.argv.slice(2)
const total = Number(runs)
const counts: Partial<Record<Outcome, number>> = {}
const began = performance.now()
let slowestMs = 0

const property = fc.property(input, (given) => {
  const from = performance.now()
  const problem = fault(given, (outcome) => (counts[outcome] = (counts[outcome] ?? 0) + 1))
  slowestMs = Math.max(slowestMs, performance.now() - from)
  if (problem !== null) throw new Error(problem)
})

for (let done = 0; done < total; done += CHUNK) {
  const numRuns = Math.min(CHUNK, total - done)
  fc.assert(property, { numRuns, seed: Number(seed) * 1_000_003 + done / CHUNK })
  const seconds = Math.round((performance.now() - began) / 1000)
  process.stderr.write(`\r${done + numRuns} runs, ${seconds} s `)
}
const seconds = Math.round((performance.now() - began) / 1000)
process.stderr.write('\n')
process.stdout.write(
  `${JSON.stringify({ runs: total, inputs: 2 * total, seed: Number(seed), seconds, slowestMs: Math.round(slowestMs), outcomes: counts })}\n`,
)
