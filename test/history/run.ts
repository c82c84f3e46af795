import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { headCommit } from '@rowseal/test-support'
import { randomOf } from '../../packages/migrator/test/kills/random.ts'
import { allAtWork } from './at-work.ts'
import { checkEvents } from './checks.ts'
import { finale } from './finale.ts'
import { Fleet, type Place } from './fleet.ts'
import { readEvents, type Event } from './history.ts'
import type { Instance } from './instance.ts'
import { KeyCollector, secretsOf } from './keys.ts'
import { lookForLeaks } from './leaks.ts'
import { clockFile, Nemesis } from './nemesis.ts'
import { Observer } from './observer.ts'
import { Recorder } from './recorder.ts'
import { render } from './report.ts'
import type { Provider } from './schema.ts'
import { contentOf, ENTRY_FIELDS, NOTE_FIELDS } from './values.ts'
import { fill, openWorld, type World } from './world.ts'

// A history: processes of an application, of the migrator and of operators against one database, while a nemesis does
// harm; then all that was seen is checked. Exit code 1 if anything was that must not be.
//
//   npm run test:history -- [--minutes 2] [--seed 1] [--provider postgresql|mysql] [--keep]

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    provider: { type: 'string', default: 'postgresql' },
    records: { type: 'string', default: '16' },
    keep: { type: 'boolean', default: false },
  },
})
/** Of what runs: there may be another by the end. */
const COMMIT = headCommit()
const provider = values.provider as Provider
if (!['postgresql', 'mysql'].includes(provider)) throw new TypeError('--provider: which is that?')
const seed = Number(values.seed)
const PATIENCE_MS = 7_000

const bin = new URL('../../packages/migrator/bin/rowseal.mjs', import.meta.url).pathname
const ours = (name: string, file: string, ...args: string[]): Place => ({
  ...{ name, args, isOurs: true, restMs: 300 },
  file: new URL(`processes/${file}.ts`, import.meta.url).pathname,
})
const command = (name: string, cwd: string, restMs: number, ...args: string[]): Place => ({
  ...{ name, cwd, restMs, args: [...args, '--json'] },
  ...{ file: bin, isOurs: false },
})
const PACE = ['--batch-rows', '5', '--max-transaction', '1']

/** One who hands drains out, and those who take their parts. */
const queueing = (cwd: string): Place[] => [
  // The entries are the converter's most of the time.
  command('coordinator', cwd, 300, 'drain', '--queue', '--part-rows', '4', '--model', 'Note'),
  command('worker-1', cwd, 300, 'worker', ...PACE),
  command('worker-2', cwd, 300, 'worker', ...PACE),
]

function placesOf(world: World): Place[] {
  return [
    ours('app-1', 'application', 'first'),
    ours('app-2', 'application', 'first'),
    ours('app-3', 'application', 'second'),
    ours('rotator', 'operator', 'rotator'),
    ours('indexer', 'operator', 'indexer'),
    ours('converter', 'operator', 'converter'),
    command('drain', world.configs, 4000, 'drain', ...PACE),
    ...(world.redis === null ? [] : queueing(world.configs)),
  ]
}

/** Let everything run for so long from when all are at work, and end it. */
async function live(world: World, instance: Instance, ms: number) {
  const random = randomOf(seed)
  const fleet: Fleet = new Fleet({
    folder: world.folder,
    seed,
    env: ({ name }) => ({
      ...process.env,
      HISTORY_SPEC: JSON.stringify(world.spec),
      HISTORY_CLOCK: clockFile(world, name),
      NODE_NO_WARNINGS: '1',
      NODE_OPTIONS: `--import ${new URL('processes/skewed-clock.mjs', import.meta.url).href}`,
    }),
    onFrozen: (child) => nemesis.frozeItself(child),
  })
  const nemesis = new Nemesis(world, fleet, random)
  const observer = new Observer(instance.base, provider, world.direct.records)
  const collector = new KeyCollector(world, instance.base)
  for (const place of placesOf(world)) fleet.begin(place)
  await allAtWork(world, ['app-1', 'app-2', 'app-3', 'rotator'])
  const over = performance.now() + ms
  nemesis.begin()
  while (performance.now() < over) {
    await collector.look().catch(() => undefined)
    await sleep(500)
  }
  await nemesis.stop()
  await fleet.stop(PATIENCE_MS)
  await observer.stop()
  return { fleet, nemesis, observer, collector }
}

/** What every record holds at the end. */
async function readEverything({ folder }: World, { prisma }: Instance): Promise<void> {
  const recorder = new Recorder(join(folder, 'end.jsonl'))
  const n = recorder.start('read at the end')
  const reads: Record<string, string | null> = {}
  for (const event of readEvents(folder))
    for (const record of Object.keys(event.writes)) reads[record] = null
  const select = { id: true }
  for (const row of await prisma.note.findMany({ select: { ...select, ...NOTE_FIELDS } }))
    reads[`Note:${row.id}`] = contentOf(row)
  for (const row of await prisma.entry.findMany({ select: { ...select, ...ENTRY_FIELDS } }))
    reads[`Entry:${row.id}`] = contentOf(row)
  recorder.end(n, { outcome: 'ok', reads })
}

async function main(): Promise<number> {
  const began = performance.now()
  const world = await openWorld(provider, Number(values.records))
  try {
    const instance = await fill(world)
    const lived = await live(world, instance, Number(values.minutes) * 60_000)
    await readEverything(world, instance)
    const ended = await finale(instance, provider)
    await readEverything(world, instance)
    await lived.collector.look()
    const events = readEvents(world.folder)
    const secrets = secretsOf(lived.collector, lived.observer.envelopes)
    const leaks = await lookForLeaks(world, instance, secrets)
    const violations = [
      ...checkEvents(events, lived.observer),
      ...ended.violations,
      ...leaks.violations,
    ]
    await instance.base.$disconnect()
    console.log(
      render({
        title: `${provider}, ${values.minutes} minutes, seed ${seed}: ${new Date().toISOString()}`,
        events,
        violations,
        started: lived.fleet.started,
        ends: lived.fleet.ends,
        deeds: lived.nemesis.deeds,
        facts: factsOf(world, events, lived, ended, leaks, secrets.keys.size, began),
      }),
    )
    return violations.length === 0 ? 0 : 1
  } finally {
    if (!values.keep) await world.close()
  }
}

/** What they say on standard error, a line for each. */
function partsWorked({ folder }: World): number {
  const said = readdirSync(folder).filter((name) => /^worker-.*\.out$/.test(name))
  const text = said.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n')
  return text.match(/, part \d+: [\d,]+ rows/g)?.length ?? 0
}

function factsOf(
  world: World,
  events: readonly Event[],
  { observer }: Awaited<ReturnType<typeof live>>,
  ended: Awaited<ReturnType<typeof finale>>,
  leaks: Awaited<ReturnType<typeof lookForLeaks>>,
  keys: number,
  began: number,
): Record<string, string | number> {
  return {
    commit: COMMIT,
    'seconds in all': Math.round((performance.now() - began) / 1000),
    operations: events.length,
    'key versions': new Set(observer.heads.map(({ keyId }) => keyId)).size,
    'changes of the active version': observer.heads.length - 1,
    'keys destroyed at the end': ended.destroyed,
    'looks at all values': observer.looks,
    're-encryptions seen': observer.sightings.length,
    'envelopes seen': observer.envelopes.size,
    'keys looked for': keys,
    'parts of runs that workers had': partsWorked(world),
    'files looked through': `${leaks.files} (${Math.round(leaks.bytes / 1e6)} MB)`,
  }
}

process.exitCode = await main()
process.exit()
