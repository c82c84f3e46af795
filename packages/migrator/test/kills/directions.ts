import {
  decrypt,
  encrypt,
  reindex,
  rewrap,
  rotate,
  rotateIndex,
  verify,
  type MigratorConfig,
} from '../../src/index.ts'
import { drain, type World } from '../world.ts'
import type { Note } from './note.ts'
import { fillPlain, fillSealed, QUICK, type Stage, type Table } from './notes.ts'

/** A direction, and a table that it has something to do in. */
export interface Scenario {
  readonly name: string
  readonly stage: Stage
  /** Of its run. */
  readonly kind: 'write' | 'read'
  /** What every sealed column holds at the end. */
  readonly ends: 'under the active key' | 'sealed' | 'in plaintext'
  /** In place of all rows: so many. */
  fill(table: Table, count: number): Promise<Note[]>
  /** Make work again, over the rows that are there. Without instances that could be behind. */
  again(table: Table): Promise<unknown>
  /** The run itself, in this process; a process of its own is told the name. */
  run(config: MigratorConfig, options: object): Promise<{ readonly outcome: string }>
}

/** Every direction, each with steps of its own: whoever adds one adds it here, and to `child.ts`. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'encrypt',
    stage: 'entering',
    kind: 'write',
    ends: 'sealed',
    fill: fillPlain,
    again: ({ leaving }) => decrypt(leaving.config, { now: true }),
    run: encrypt,
  },
  {
    name: 'drain',
    stage: 'sealed',
    kind: 'write',
    ends: 'under the active key',
    fill: fillSealed,
    again: ({ sealed }) => sealed.rotate(),
    run: drain,
  },
  {
    name: 'reindex',
    stage: 'sealed',
    kind: 'write',
    ends: 'sealed',
    fill: fillSealed,
    again: ({ sealed }) => rotateIndex(sealed.config, { now: true }),
    run: reindex,
  },
  {
    name: 'verify',
    stage: 'sealed',
    kind: 'read',
    ends: 'sealed',
    fill: fillSealed,
    again: () => Promise.resolve(),
    run: verify,
  },
  {
    name: 'decrypt',
    stage: 'leaving',
    kind: 'write',
    ends: 'in plaintext',
    fill: fillSealed,
    again: ({ entering }) => encrypt(entering.config, { now: true }),
    run: decrypt,
  },
]

/** Steps of a drain, and keys that the root key wraps. */
export const REWRAP: Scenario = {
  name: 'rewrap',
  stage: 'sealed',
  kind: 'write',
  ends: 'under the active key',
  fill: async (table, count) => {
    const notes = await fillSealed(table, count)
    await REWRAP.again(table)
    await drain(table.sealed.config)
    return notes
  },
  again: async ({ sealed }) => {
    await rotate(await sealed.another({ ...QUICK, wrapping: 'kms' }), { now: true })
    await sealed.keyring.refresh()
  },
  run: rewrap,
}

export const DRAIN = SCENARIOS.find(({ name }) => name === 'drain')!

export const worldOf = (table: Table, { stage }: Scenario): World => table[stage]
