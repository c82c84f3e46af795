import { random, SEED, text } from './random.ts'

/** Annotations that Rowseal and its peer both read. */
export const SCHEMA = `
model Person {
  id      Int    @id
  name    String
  /// @encrypted
  email   String
  /// @encrypted
  address String
  /// @encrypted
  notes   String
}
model Contact {
  id         Int     @id
  /// @encrypted
  email      String
  /// @encryption:hash(email)
  emailIndex String?
  /// @encrypted
  address    String
  /// @encrypted
  notes      String

  @@index([emailIndex])
}
model Team {
  id      Int      @id
  name    String
  members Member[]
}
model Member {
  id      Int    @id
  teamId  Int
  team    Team   @relation(fields: [teamId], references: [id])
  /// @encrypted
  email   String
  /// @encrypted
  address String
  /// @encrypted
  notes   String

  @@index([teamId])
}
model Country {
  code String @id
  name String
}`

/** Eighty models in a ring of relations; every tenth has three sealed fields. */
export const LARGE_SCHEMA = Array.from({ length: 80 }, (_, i) => {
  const [next, previous] = [(i + 1) % 80, (i + 79) % 80]
  const sealed = ['email', 'address', 'notes']
    .map((name) => `${i % 10 === 0 ? '  /// @encrypted\n' : ''}  ${name} String`)
    .join('\n')
  return `model M${i} {
  id     Int  @id
${sealed}
  nextId Int?
  next   M${next}? @relation("r${i}", fields: [nextId], references: [id])
  before M${previous}[] @relation("r${previous}")
}`
}).join('\n')

/** Lengths of the sealed values, in bytes. */
export const LENGTHS = { email: 12, address: 60, notes: 400 } as const

export type Sealed = Record<keyof typeof LENGTHS, string>

/** Three values of 12, 60 and 400 bytes; the e-mail address is the id's own. */
export function sealedValues(id: number): Sealed {
  const next = random(SEED + id)
  return {
    email: `${String(id).padStart(8, '0')}@x.y`,
    address: text(next, LENGTHS.address),
    notes: text(next, LENGTHS.notes),
  }
}

export function person(id: number): Record<string, unknown> {
  return { id, name: `person ${id}`, ...sealedValues(id) }
}
