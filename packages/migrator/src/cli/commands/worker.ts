import type { WorkEvent } from '../../queue/work.ts'
import { work } from '../../queue/work.ts'
import { given } from '../../given.ts'
import { exitCodeOf, type Command } from '../command.ts'
import { count, say } from '../output.ts'
import { BATCH_BYTES, BATCH_ROWS, paceFlags, paceOf, time, type PaceFlags } from '../pace-flags.ts'
import { proves } from '../proof-flags.ts'
import { integer } from '../numbers.ts'
import { THREADS, type Registry } from '../registry.ts'

interface WorkerFlags extends PaceFlags {
  readonly concurrency?: number
  readonly threads?: number
  readonly exitWhenIdle?: number
  readonly now?: boolean
  readonly proof?: boolean
  /** Seconds. */
  readonly maxTransaction?: number
  readonly maxPasses?: number
}

export function addWorker(registry: Registry): void {
  const what = 'work on what `--queue` of encrypt, drain and decrypt hands out'
  proves(paceFlags(registry.add('worker', what, runWorker)))
    .option('--concurrency <n>', 'parts at the same time (default: 1)', integer)
    .option(...THREADS)
    .option('--exit-when-idle <time>', 'end when for so long nothing is to be done', time)
    .option(...BATCH_ROWS)
    .option(...BATCH_BYTES)
    .option('--max-passes <n>', 'passes over a part at most (default: 10)', integer)
    .option('--now', 'do not wait until every instance follows')
    .option('--max-transaction <s>', 'seconds a transaction may take (default: 5)', integer)
}

const runWorker: Command<WorkerFlags> = async (config, flags, interruption) => {
  const { concurrency, threads, exitWhenIdle: exitWhenIdleMs, now, proof, ...passes } = flags
  const { maxPasses, maxTransaction } = passes
  const maxTransactionMs = maxTransaction === undefined ? undefined : maxTransaction * 1000
  const report = await work(config, {
    ...paceOf(flags),
    ...given({ concurrency, threads, exitWhenIdleMs, now, proof, maxPasses, maxTransactionMs }),
    signal: interruption.signal,
    onEvent: tell,
  })
  const { parts, rows, seconds } = report
  const text = `Worked on ${count(parts)} parts: ${count(rows)} rows in ${seconds.toFixed(1)} s.`
  return { document: report, text, exitCode: exitCodeOf(report, interruption) }
}

const OUTCOMES: Readonly<Record<Extract<WorkEvent, { type: 'part' }>['outcome'], string>> = {
  done: 'done',
  incomplete: 'done, with something left',
  stopped: 'given back',
  cancelled: 'cancelled',
  waits: 'gone over, waits until every instance follows',
}

function tell(event: WorkEvent): void {
  const sentence = sentenceOf(event)
  if (sentence !== null) say(sentence)
}

function sentenceOf(event: WorkEvent): string | null {
  switch (event.type) {
    case 'begin':
      return `Taking parts from ${event.queue}.`
    case 'part':
      return `${event.model}, part ${event.part + 1}: ${count(event.rows)} rows, ${OUTCOMES[event.outcome]}.`
    case 'retry':
      return `${event.model}, part ${event.part + 1}: ${event.code}. It is tried again.`
    case 'queue':
      return event.problem === null ? 'Going on.' : 'Waiting: the queue cannot be reached.'
    case 'throttle':
      return event.wait?.kind === 'health' ? `Waiting: ${event.wait.reason}.` : null
  }
}
