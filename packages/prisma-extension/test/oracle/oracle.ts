import { isAvailable } from '@rowseal/test-support'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Provider } from '../../src/plan/index.ts'
import { codeOfSequence } from './code.ts'
import { grammarOf } from './filters.ts'
import { Hashes } from './hashes.ts'
import { operationNames, sequence, type Step } from './operations.ts'
import { runSequence } from './run.ts'
import { storedCheck } from './stored.ts'
import { Tally } from './tally.ts'
import { hasJoins, openWorld, type Setting, type World } from './worlds.ts'

const SEED = Number(process.env['ROWSEAL_ORACLE_SEED'] ?? 20260105)
/** Per database. */
const OPERATIONS = Number(process.env['ROWSEAL_ORACLE_OPERATIONS'] ?? 21_000)
/** Of a failure, to run its shrunk sequence only. */
const PATH = process.env['ROWSEAL_ORACLE_PATH']

const FILES: Readonly<Record<Provider, string>> = {
  postgresql: 'postgresql',
  sqlite: 'sqlite',
  mysql: 'mariadb',
}

const SEQUENCES_PER_BATCH = 20

const SETTINGS: readonly Setting[] = [
  { title: 'with one key version', offset: 0, isRotating: false, isStrict: false },
  {
    title: 'with keys that rotate, strict about undefined, with fields left out',
    offset: 1_000_000,
    isRotating: true,
    isStrict: true,
    omit: { person: { notes: true, id: true }, card: { number: true } },
  },
]

/**
 * The differential test: sequences of operations, made from the schema, run on a sealed database and on a
 * plain one. Results, errors and data are equal, or the sealed side refuses what it may (declared.ts); what
 * may differ all the same is in differences.ts.
 *
 * ROWSEAL_ORACLE_SEED and ROWSEAL_ORACLE_OPERATIONS run other sequences, and more of them. A failure prints
 * the command that runs its shrunk sequence again.
 */
export function describeOracle(provider: Provider): void {
  describe.runIf(isAvailable(provider)).each(SETTINGS)(
    `the oracle on ${provider} $title`,
    (setting) => {
      let world: World
      beforeAll(async () => {
        world = await openWorld(provider, setting)
      })
      afterAll(() => world.close())

      it('answers as a plain database does, or refuses', { timeout: 7_200_000 }, async () => {
        const tally = await search(world, OPERATIONS / SETTINGS.length)
        console.log(`${provider} ${setting.title}, seed ${SEED}:\n${tally.toString()}`)
        const { all, result, refused } = tally.total
        if (PATH !== undefined) return
        expect(result / all).toBeGreaterThan(0.5)
        expect(refused / all).toBeLessThan(0.2)
        expect(tally.unseen(operationNames(grammarOf(provider)))).toEqual([])
      })
    },
  )
}

/** Run batches of sequences until so many operations have been run. @throws {Error} with the shrunk sequence. */
async function search(world: World, operations: number): Promise<Tally> {
  const grammar = grammarOf(world.provider, hasJoins(world))
  const tally = new Tally()
  const run = {
    grammar,
    world,
    stored: storedCheck(world),
    hashes: new Hashes(world.setting.isRotating),
    tally,
  }
  const property = fc.asyncProperty(sequence(grammar), (steps) => runSequence(run, steps))
  for (let seed = SEED; tally.total.all < operations; seed++) {
    const details = await fc.check(property, {
      seed: seed + world.setting.offset,
      numRuns: SEQUENCES_PER_BATCH,
      ...(PATH !== undefined && { path: PATH }),
    })
    if (details.failed) throw failure(world, seed, details)
    if (PATH !== undefined) break
  }
  return tally
}

function failure(
  { provider, setting }: World,
  seed: number,
  { counterexample, counterexamplePath, errorInstance, numShrinks }: fc.RunDetails<[Step[]]>,
): Error {
  const code = counterexample === null ? 'none' : codeOfSequence(counterexample[0])
  const reason = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  return new Error(
    [
      `The twins differ on ${provider} ${setting.title}.`,
      `ROWSEAL_ORACLE_SEED=${seed} ROWSEAL_ORACLE_PATH=${counterexamplePath ?? ''} npx vitest run oracle/${FILES[provider]} -t '${setting.title}'`,
      `Shrunk ${numShrinks} times, to:`,
      code,
      reason,
    ].join('\n\n'),
    { cause: errorInstance },
  )
}
