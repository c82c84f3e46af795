import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readEvents } from './history.ts'
import { CONTROL } from './values.ts'
import type { World } from './world.ts'

/** How long they get to start on a busy machine. */
const PATIENCE_MS = 90_000

/**
 * Wait until these processes have done something, and a run was handed out through the queue, if there is one: killed
 * while they start, they would have no history.
 */
export async function allAtWork(world: World, names: readonly string[]): Promise<void> {
  const over = performance.now() + PATIENCE_MS
  const isReady = (): boolean =>
    haveActed(world, names) && (world.redis === null || isQueued(world))
  while (performance.now() < over && !isReady()) await sleep(300)
}

function haveActed({ folder }: World, names: readonly string[]): boolean {
  const acted = readEvents(folder).filter(({ outcome }) => outcome === 'ok')
  return names.every((name) => acted.some(({ process }) => process.startsWith(`${name}.`)))
}

function isQueued({ queueFolder }: World): boolean {
  const files = readdirSync(queueFolder, { recursive: true, withFileTypes: true })
  return files.some(
    (file) =>
      file.isFile() &&
      readFileSync(join(file.parentPath, file.name)).includes(Buffer.from(CONTROL)),
  )
}
