import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { MigratorConfig } from '../config.ts'
import type { Flags } from './command.ts'
import { loadConfig } from './load-config.ts'

/** A command that takes longer is a run. */
const RUN_MS = 1000

/**
 * The configuration of this folder, or of `--config`, with the process made ready for a run.
 *
 * @throws as `loadConfig`
 */
export async function begin({ config: path }: Flags): Promise<MigratorConfig> {
  // What a configuration prints is part of no document, and no SQL.
  console.log = console.info = console.debug = console.error
  // Before the configuration brings Prisma's query compiler, which statements of our own do not run: V8 would
  // compile it a second time, for speed, and keep 30 MB for that.
  setFlagsFromString('--liftoff-only')
  const config = await loadConfig(path)
  keepSmall()
  return config
}

/**
 * A run makes and drops a cipher for every value, and V8 would let the heap grow to four times what is in use
 * before it collects them; before it has collected once, to more than that. Figures in bench/results/migrator.
 */
function keepSmall(): void {
  // Set any earlier they cost every command a tenth of its start.
  setFlagsFromString('--heap-growing-percent=25')
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as (() => void) | undefined
  if (collect !== undefined) setTimeout(collect, RUN_MS).unref()
}
