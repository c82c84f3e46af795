import type { Measurement } from '../measure.ts'
import { openSubjects, type Provider, type Subjects } from '../subjects.ts'
import { disk } from './disk.ts'
import { kmsCalls } from './kms.ts'
import { large } from './large.ts'
import { load } from './load.ts'
import { migrator } from './migrator.ts'
import { operations, type Effort } from './operations.ts'
import { reencryption } from './reencryption.ts'
import { dekMemory, startUp } from './start-up.ts'
import { walks } from './walks.ts'

export interface BenchOptions extends Effort {
  /** Of the tables that the migrator rewrites. */
  readonly rows: number
}

interface Part {
  readonly inQuick: boolean
  readonly run: (options: BenchOptions) => Promise<Measurement[]>
}

const BOTH: readonly Provider[] = ['postgresql', 'sqlite']

/** Everything that is measured, in the order of the report. */
export const PARTS = {
  operations: { inQuick: true, run: (options) => on(BOTH, options, operations) },
  walks: { inQuick: true, run: walks },
  large: { inQuick: false, run: large },
  load: { inQuick: false, run: (options) => on(BOTH, options, load) },
  kms: { inQuick: false, run: kmsCalls },
  reencryption: { inQuick: false, run: (options) => on(BOTH, options, reencryption) },
  startUp: { inQuick: false, run: (options) => on(['postgresql'], options, startUp) },
  dekMemory: { inQuick: false, run: dekMemory },
  migrator: { inQuick: false, run: migrator },
  disk: { inQuick: true, run: (options) => on(BOTH, options, disk) },
} satisfies Record<string, Part>

export type PartName = keyof typeof PARTS

async function on(
  providers: readonly Provider[],
  options: BenchOptions,
  run: (subjects: Subjects, options: BenchOptions) => Promise<Measurement[]>,
): Promise<Measurement[]> {
  const lines: Measurement[] = []
  for (const provider of providers) {
    const subjects = await openSubjects(provider)
    try {
      lines.push(...(await run(subjects, options)))
    } finally {
      await subjects.close()
    }
  }
  return lines
}
