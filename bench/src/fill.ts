import type { Subjects } from './subjects.ts'
import { person, sealedValues, type Sealed } from './schema.ts'

export const DATABASES = ['plain', 'rowseal', 'peer'] as const
export const TEAMS = 100
export const MEMBERS = 10

/** Let go of all keys, and have the KEK again. */
export async function withoutDeks(keyring: Subjects['keyring']): Promise<void> {
  keyring.forget()
  await keyring.verify()
}

/** The same rows for everybody. */
export async function fill(subjects: Subjects, rows: number): Promise<void> {
  for (const name of DATABASES) {
    const db = subjects[name]
    for (let at = 0; at < rows; at += 1000) {
      const ids = Array.from({ length: Math.min(1000, rows - at) }, (_, i) => at + i + 1)
      await db.person.createMany({ data: ids.map(person) })
      await db.contact.createMany({ data: ids.map((id) => ({ id, ...sealedValues(id) })) })
    }
    const teams = Array.from({ length: TEAMS }, (_, i) => ({ id: i + 1, name: `team ${i}` }))
    await db.team.createMany({ data: teams })
    const members = Array.from({ length: TEAMS * MEMBERS }, (_, i) => ({
      id: i + 1,
      teamId: (i % TEAMS) + 1,
      ...sealedValues(i + 1),
    }))
    await db.member.createMany({ data: members })
    await db.country.create({ data: { code: 'x', name: 'X' } })
  }
  const analyze = subjects.provider === 'postgresql' ? 'VACUUM ANALYZE;' : 'ANALYZE;'
  for (const name of DATABASES) await subjects.databases[name].exec(analyze)
}

/** What Rowseal has written, as the columns hold it: ready to be written again, and to be looked for. */
export interface Stored {
  readonly people: readonly Sealed[]
  /** Of `Contact`, by id. */
  readonly indexes: ReadonlyMap<number, string>
}

export async function storedIn({ base }: Subjects): Promise<Stored> {
  const select = { email: true, address: true, notes: true }
  const people: Sealed[] = await base.person.findMany({ take: 1000, select })
  const contacts: any[] = await base.contact.findMany({ select: { id: true, emailIndex: true } })
  return { people, indexes: new Map(contacts.map(({ id, emailIndex }) => [id, emailIndex])) }
}
