import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf, randomOf } from '../../../packages/migrator/test/kills/random.ts'
import {
  decrypt,
  destroyKey,
  encrypt,
  reindex,
  resumeKey,
  retireKey,
  rotate,
  rotateIndex,
} from '@rowseal/migrator'
import { DESTROY_WAIT_DAYS, inDays } from '../clock.ts'
import { openInstance, type Instance } from '../instance.ts'
import { mayGoOn, recorded, rest, seed, spec } from './process.ts'

// Somebody who operates keys or tables: `rotator` makes, rolls back, retires and destroys key versions, `indexer`
// rotates index keys, `converter` encrypts and decrypts the entries.

const random = randomOf(Number(seed))
const PACE = { batchRows: 7, maxTransactionMs: 1000 }

type Act = () => Promise<unknown>

const outcomeOf = (report: any): { detail: unknown } => ({ detail: { outcome: report.outcome } })

function rotations({ config, keyring }: Instance): readonly Act[] {
  const inState = (...states: readonly string[]): any[] =>
    keyring.keys().filter(({ state }: any) => states.includes(state))
  const make: Act = () =>
    recorded(
      'rotate',
      undefined,
      () => rotate(config),
      ({ outcome, from, to }) => ({ detail: { outcome, from: from.keyId, to: to.keyId } }),
    )
  const rollBack: Act = async () => {
    const former = inState('suspended').at(-1)
    if (former === undefined) return
    await recorded(`resume ${former.keyId}`, undefined, () => resumeKey(config, former.keyId))
  }
  const retire: Act = async () => {
    const former = inState('suspended')[0]
    if (former === undefined) return
    const options = { fence: true, maxTransactionMs: 1000 }
    const end = (): Promise<any> => retireKey(config, former.keyId, options)
    await recorded(`retire ${former.keyId}`, undefined, end, outcomeOf)
  }
  const destroy: Act = async () => {
    const retired = inState('deactivated')[0]
    if (retired === undefined) return
    const days = retired.destroyAt === null ? 0 : DESTROY_WAIT_DAYS + 1
    await recorded(
      `destroy ${retired.keyId}`,
      undefined,
      () => inDays(days, () => destroyKey(config, retired.keyId, { waitDays: DESTROY_WAIT_DAYS })),
      outcomeOf,
    )
  }
  return [make, make, make, rollBack, retire, retire, retire, destroy, destroy]
}

const indexing = ({ config }: Instance): readonly Act[] => [
  () => recorded('rotate index', undefined, () => rotateIndex(config), outcomeOf),
  () => recorded('reindex', undefined, () => reindex(config, PACE), outcomeOf),
]

function converting(first: Instance, second: Instance): readonly Act[] {
  const options = { ...PACE, models: ['Entry'] }
  return [
    () => recorded('encrypt', undefined, () => encrypt(first.config, options), outcomeOf),
    () => recorded('decrypt', undefined, () => decrypt(second.config, options), outcomeOf),
  ]
}

/** Whoever is to end does not wait. */
async function pause(ms: number): Promise<void> {
  const over = performance.now() + ms
  while (mayGoOn() && performance.now() < over) await sleep(100)
}

async function main(role: string): Promise<void> {
  const wrapping = random() < 0.4 ? 'kms' : 'kek'
  const instance = await openInstance(spec, 'first', { wrapping })
  if (role === 'rotator') {
    const acts = rotations(instance)
    while (mayGoOn()) {
      await instance.keyring.refresh().catch(() => undefined)
      await oneOf(random, acts)()
      await pause(200 + random() * 1500)
    }
    return
  }
  const acts =
    role === 'indexer'
      ? indexing(instance)
      : converting(instance, await openInstance(spec, 'second'))
  const restMs = role === 'indexer' ? 8000 : 3000
  for (let n = Math.floor(random() * 2); mayGoOn(); n++) {
    await acts[n % 2]!()
    // Drains are to have the tables too.
    await pause(random() * restMs)
  }
}

await main(rest[0]!)
process.exit()
