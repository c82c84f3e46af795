import { delegateOf } from './models.ts'
import type { Operation, Step } from './operations.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { materialise, type Mark } from './special.ts'
import type { Twin } from './worlds.ts'

/** A step on one of the twins. */

const HANG_MS = 120_000
const ROLLED_BACK = new Error('rolled back by the test')

interface Call {
  readonly operation: Operation
  readonly args: any
  readonly path: readonly { relation: string; args: any }[]
  readonly marks: readonly Mark[]
}

function callOf(twin: Twin, operation: Operation): Call {
  const marks: Mark[] = []
  const path = operation.path.map(({ relation, args }) => ({
    relation,
    args: materialise(args, twin, marks),
  }))
  return { operation, args: materialise(operation.args, twin, marks), path, marks }
}

function send(client: any, { operation, args, path }: Call): any {
  let promise = client[delegateOf(operation.model)][operation.name](args)
  for (const step of path) promise = promise[step.relation](step.args)
  return promise
}

/** One call by itself. */
export async function runSingle(twin: Twin, operation: Operation): Promise<Outcome> {
  const call = callOf(twin, operation)
  return settle(() => send(twin.client, call), call.marks)
}

/** The calls of `$transaction([…])`: one result of all of them, or one error. */
export async function runBatch(twin: Twin, operations: readonly Operation[]): Promise<Outcome> {
  const calls = operations.map((operation) => callOf(twin, operation))
  const marks = calls.flatMap((call) => call.marks)
  return settle(() => twin.client.$transaction(calls.map((call) => send(twin.client, call))), marks)
}

/** What became of an interactive transaction. */
export interface Interactive {
  /** Of each call that was made; the first error of Prisma's ends the transaction. */
  readonly outcomes: readonly (Outcome | null)[]
  /** `committed`, `rolled back`, or another error. */
  readonly end: string
}

/**
 * The calls of `$transaction(async (tx) => …)`, in turn. One that is refused is caught, and the transaction
 * goes on.
 *
 * @param skipped - calls that are left out.
 */
export async function runInteractive(
  twin: Twin,
  { operations, isRolledBack }: Extract<Step, { kind: 'interactive' }>,
  skipped: (index: number) => boolean,
): Promise<Interactive> {
  const outcomes: (Outcome | null)[] = operations.map(() => null)
  const body = async (tx: any): Promise<void> => {
    for (const [i, operation] of operations.entries()) {
      if (skipped(i)) continue
      const call = callOf({ ...twin, client: tx }, operation)
      const outcome = await settle(() => send(tx, call), call.marks)
      outcomes[i] = outcome
      if (outcome.kind === 'error') throw outcome.error
    }
    if (isRolledBack) throw ROLLED_BACK
  }
  try {
    const options = { timeout: HANG_MS, maxWait: HANG_MS }
    await inTime(twin.client.$transaction(body, options))
    return { outcomes, end: 'committed' }
  } catch (error) {
    const failed = outcomes.some((outcome) => outcome?.kind === 'error' && outcome.error === error)
    return { outcomes, end: error === ROLLED_BACK || failed ? 'rolled back' : String(error) }
  }
}

async function settle(call: () => Promise<unknown>, marks: readonly Mark[]): Promise<Outcome> {
  try {
    return { kind: 'result', result: await inTime(call()) }
  } catch (error) {
    return outcomeOf(error, marks)
  }
}

/** A batch whose hook does not call on hangs for ever. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TypeError('The call hangs.')), HANG_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
