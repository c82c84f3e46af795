import { runBatch, runInteractive, runSingle } from './calls.ts'
import { codeOfOperation } from './code.ts'
import type { Arguments } from './arbitraries.ts'
import { canonicalResult } from './compare.ts'
import { compareData } from './data.ts'
import type { Refusable } from './declared.ts'
import { differenceOf } from './differences.ts'
import type { Grammar } from './filters.ts'
import type { Hashes } from './hashes.ts'
import type { Operation, Step } from './operations.ts'
import { isTelling, lastLine, type Outcome } from './outcome.ts'
import { materialise } from './special.ts'
import type { StoredCheck } from './stored.ts'
import type { Tally } from './tally.ts'
import type { World } from './worlds.ts'

export interface Run {
  readonly grammar: Grammar
  readonly world: World
  readonly stored: StoredCheck
  readonly hashes: Hashes
  readonly tally: Tally
}

/** The twins are no longer the same, for a reason that is declared: the sequence ends. */
const PARTED = Symbol('parted')

/** Run a sequence on both twins. @throws {Error} that says where they differ. */
export async function runSequence(run: Run, steps: readonly Step[]): Promise<void> {
  await run.world.reset()
  for (const step of steps) {
    if ((await RUNNERS[step.kind](run, step as never)) === PARTED) return
    // Values that are stale are rewritten in the background.
    if (run.world.setting.isRotating) await run.world.sealed.client.$rowseal.flush()
  }
  await compareData(run.grammar, run.world, run.hashes)
  await run.stored.assertSealed()
}

type ResultOf = Extract<Outcome, { kind: 'result' }>
type Ended = typeof PARTED | undefined

const RUNNERS: {
  readonly [K in Step['kind']]: (run: Run, step: Extract<Step, { kind: K }>) => Promise<Ended>
} = {
  single: async (run, { operation }) => {
    const sealed = await runSingle(run.world.sealed, operation)
    assertAnswered(run, [operation], sealed)
    if (sealed.kind === 'refused') {
      run.tally.add(operation.name, sealed)
      return undefined
    }
    const plain = await runSingle(run.world.plain, operation)
    return compare(run, operation, sealed, plain)
  },
  batch: async (run, { operations }) => {
    const sealed = await runBatch(run.world.sealed, operations)
    assertAnswered(run, operations, sealed)
    for (const operation of operations) run.tally.add(operation.name, sealed)
    if (sealed.kind === 'refused') return undefined
    const plain = await runBatch(run.world.plain, operations)
    if (sealed.kind === 'result' && plain.kind === 'result') {
      for (const [i, operation] of operations.entries()) {
        const of = ({ result }: { result: unknown }): ResultOf => ({
          kind: 'result',
          result: (result as unknown[])[i],
        })
        if (compareResults(run, operation, of(sealed), of(plain)) === PARTED) return PARTED
      }
      return undefined
    }
    return compareEnds(run, operations, sealed, plain)
  },
  interactive: async (run, step) => {
    const sealed = await runInteractive(run.world.sealed, step, () => false)
    sealed.outcomes.forEach((outcome, i) => {
      if (outcome !== null) assertAnswered(run, [step.operations[i]!], outcome)
    })
    const isRefused = (i: number): boolean => sealed.outcomes[i]?.kind === 'refused'
    const plain = await runInteractive(run.world.plain, step, isRefused)
    for (const [i, operation] of step.operations.entries()) {
      const [ours, theirs] = [sealed.outcomes[i] ?? null, plain.outcomes[i] ?? null]
      if (ours?.kind === 'refused') run.tally.add(operation.name, ours)
      else if (ours !== null && theirs !== null) {
        if (compare(run, operation, ours, theirs) === PARTED) return PARTED
      } else if (ours !== theirs)
        throw differ([operation], `sealed ${told(ours)}`, `plain ${told(theirs)}`)
    }
    if (sealed.end !== plain.end)
      throw differ(step.operations, `sealed ${sealed.end}`, `plain ${plain.end}`)
    return undefined
  },
}

/** Refused is right only where a clause may be. */
function assertAnswered({ world }: Run, operations: readonly Operation[], outcome: Outcome): void {
  if (outcome.kind !== 'refused') return
  const { isRotating, isStrict } = world.setting
  const mayBe = (clause: Refusable): boolean =>
    clause === 'undefined in Json' ? isStrict : isRotating || !clause.endsWith('while rotating')
  if (outcome.clauses.some(mayBe)) return
  throw differ(
    operations,
    `refused though nothing in it may be: ${outcome.error.code} ${outcome.error.message}`,
  )
}

function compare(run: Run, operation: Operation, sealed: Outcome, plain: Outcome): Ended {
  run.tally.add(operation.name, sealed)
  if (sealed.kind === 'result' && plain.kind === 'result') {
    return compareResults(run, operation, sealed, plain)
  }
  return compareEnds(run, [operation], sealed, plain)
}

function compareEnds(
  run: Run,
  operations: readonly Operation[],
  sealed: Outcome,
  plain: Outcome,
): Ended {
  if (sealed.kind === 'error' && plain.kind === 'error') {
    if (sealed.report === plain.report && !isTelling(sealed)) return undefined
  }
  return explain(run, operations, sealed, plain, [
    `sealed ${told(sealed)}`,
    `plain  ${told(plain)}`,
  ])
}

/** Equal answers, after which the data may differ. */
function parted(
  { world, tally }: Run,
  operation: Operation,
  sealed: Outcome,
  plain: Outcome,
): Ended {
  const difference = differenceOf([operation], { world, sealed, plain }, 'parts')
  if (difference === null) return undefined
  tally.addDifference(difference)
  return PARTED
}

/** @throws {Error} unless a difference is declared that explains it. */
function explain(
  { world, tally }: Run,
  operations: readonly Operation[],
  sealed: Outcome,
  plain: Outcome,
  lines: readonly string[],
): typeof PARTED {
  const difference = differenceOf(operations, { world, sealed, plain })
  if (difference === null) throw differ(operations, ...lines)
  tally.addDifference(difference)
  return PARTED
}

function compareResults(run: Run, operation: Operation, sealed: ResultOf, plain: ResultOf): Ended {
  const { grammar, world } = run
  let model = grammar.model(operation.model)
  let { args } = operation
  for (const step of operation.path) {
    model = grammar.model(model.relations.find(({ name }) => name === step.relation)!.model)
    args = step.args
  }
  args = materialise(args, world.plain) as Arguments
  const ours = canonicalResult(grammar, model, operation.name, args, sealed.result)
  const theirs = canonicalResult(grammar, model, operation.name, args, plain.result)
  if (ours === theirs) return parted(run, operation, sealed, plain)
  return explain(run, [operation], sealed, plain, [`sealed ${ours}`, `plain  ${theirs}`])
}

function told(outcome: Outcome | null): string {
  if (outcome === null) return 'was not reached'
  if (outcome.kind === 'result') return 'gave a result'
  if (outcome.kind === 'error') return `failed with ${outcome.report}: ${lastLine(outcome.error)}`
  return `refused: ${outcome.error.message}`
}

function differ(operations: readonly Operation[], ...lines: string[]): Error {
  return new Error([...operations.map(codeOfOperation), ...lines].join('\n  '))
}
