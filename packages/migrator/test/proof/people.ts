import { world, type Provider, type World } from '../world.ts'

/** A key of two columns, two fields that change by themselves, one with an index, and one of JSON. */
export const people = (option: string): string => `
model Person {
  clinic Int
  id     Int
  /// @encrypted(${option})
  name   String
  /// @encrypted(${option})
  phone  String?
  /// @encrypted(${option})
  notes  Json?
  /// @encrypted(${option})
  login  String?
  /// @blindIndex(login, normalize: [lowercase])
  loginIndex String? @unique
  note   String?
  @@id([clinic, id])
}
`

export const person = (id: number): any => ({
  clinic: id % 2,
  id,
  name: `Name ${id}`,
  phone: id % 5 === 0 ? null : `+49 ${id}`,
  notes: { b: id, a: [1.5, 'ü'] },
  login: `User${id}`,
})

/** People as the application seals them, or as one wrote them that did not know of Rowseal. */
export async function peopleOf(
  provider: Provider,
  count: number,
  how: 'sealed' | 'plain',
): Promise<World> {
  const w = await world(provider, people('plaintext: allow'))
  const data = Array.from({ length: count }, (_, id) => person(id))
  await w[how].person.createMany({ data })
  return w
}

export const at = (id: number): any => ({ where: { clinic_id: { clinic: id % 2, id } } })
