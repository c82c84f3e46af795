import { readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import type { Instance, Provider } from './instance.ts'
import type { Sample } from './verdict.ts'

const CONNECTIONS: Readonly<Record<Provider, string>> = {
  postgresql: 'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()',
  mysql: 'SELECT count(*) AS n FROM information_schema.processlist WHERE db = database()',
}

/** What this process holds, once its garbage is collected. Call it while nothing is under way. */
export async function sampleOf(
  { base }: Instance,
  provider: Provider,
  minutes: number,
): Promise<Sample> {
  const [{ n }] = await base.$queryRawUnsafe(CONNECTIONS[provider])
  // What is let go of by finalizers is gone with the second.
  for (let i = 0; i < 2; i++) {
    globalThis.gc!()
    await turn()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    ...{ minutes, heap: heapUsed, external, rss },
    resources: process.getActiveResourcesInfo().length,
    files: openFiles(),
    connections: Number(n),
  }
}

/** Linux tells; elsewhere 0. */
function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}
