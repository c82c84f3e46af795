import { child } from '../child.ts'
import { measurement, type Measurement, type Times } from '../measure.ts'
import { person } from '../schema.ts'
import type { Subjects } from '../subjects.ts'
import type { Effort } from './operations.ts'

const DATABASES = ['plain', 'rowseal', 'peer'] as const
type Parts = Partial<Record<'library' | 'plan' | 'keyring' | 'query' | 'total', number>>

/** From a process that begins to its first answer, on PostgreSQL. */
export async function startUp(subjects: Subjects, { isQuick }: Effort): Promise<Measurement[]> {
  for (const name of DATABASES) await subjects[name].person.create({ data: person(1) })
  const seen: Record<string, Parts[]> = { plain: [], rowseal: [], peer: [] }
  for (let round = -1; round < (isQuick ? 3 : 9); round++) {
    for (const name of DATABASES) {
      const { clientFolder, databases } = subjects
      const parts = await child<Parts>('start', name, clientFolder, databases[name].url)
      if (round >= 0) seen[name]!.push(parts)
    }
  }
  const line = (name: string, part: keyof Parts, who: readonly string[]): Measurement => {
    const times = who.map((subject) => [subject, seen[subject]!.map((parts) => parts[part] ?? 0)])
    return measurement(
      { name: `start-up: ${name}`, database: 'postgresql' },
      Object.fromEntries(times) as Times,
    )
  }
  return [
    line('import the library', 'library', ['rowseal', 'peer']),
    line('load the plan', 'plan', ['rowseal', 'peer']),
    line('open the keyring', 'keyring', ['rowseal']),
    line('first query', 'query', DATABASES),
    line('until the first answer', 'total', DATABASES),
  ]
}

/** What a million unwrapped DEKs in the cache take. */
export async function dekMemory(): Promise<Measurement[]> {
  const { entries, live, rss } = await child<{ entries: number; live: number; rss: number }>(
    'dek-memory',
    '1000000',
  )
  if (entries !== 1_000_000) throw new Error(`The cache holds ${entries} DEKs.`)
  const line = (name: string, bytes: number): Measurement =>
    measurement({ name: `a million cached DEKs, ${name}`, unit: 'MB' }, { rowseal: [bytes / 1e6] })
  return [line('in use', live), line('resident', rss)]
}
