import { setFlagsFromString } from 'node:v8'
import type { MigratorConfig } from '../config.ts'
import type { Flags } from './command.ts'
import { loadConfig } from './load-config.ts'

/**
 * The configuration of this folder, or of `--config`, with the process made ready for a run.
 *
 * @throws as `loadConfig`
 */
export async function begin({ config: path, json }: Flags): Promise<MigratorConfig> {
  // What a configuration prints is not part of the document.
  if (json === true) console.log = console.info = console.debug = console.error
  const config = await loadConfig(path)
  // A run makes and drops a cipher for every value, and V8 would let the heap grow to four times what is in
  // use before it collects them: a drain took up to 313 MB, and with this 218 and 254 MB (bench/results/migrator).
  // Set any earlier it costs every command a tenth of its start.
  setFlagsFromString('--heap-growing-percent=25')
  setFlagsFromString('--semi-space-growth-factor=1')
  return config
}
