/** The records every sequence begins with: all kinds of links, and of values there are. */
export async function fill(prisma: any, Prisma: any): Promise<void> {
  await prisma.tenant.createMany({
    data: [
      { id: 1, name: 'Ann', licence: 'L1', settings: { a: 1 }, credits: 5n },
      { id: 2, name: 'Bea', settings: Prisma.JsonNull },
      { id: 3, name: '', licence: '', balance: '1.5' },
    ],
  })
  const person = (id: number, email: string, rest: object): object => ({ id, email, ...rest })
  await prisma.person.createMany({
    data: [
      person(1, 'a@x.ch', { tenantId: 1, code: 'c1', city: 'Bern', alias: 'Bob', nick: 'Ann' }),
      person(2, 'A@X.ch', {
        tenantId: 1,
        code: 'c2',
        city: 'bern',
        bossId: 1,
        kind: 'DOG',
        age: 2,
      }),
      person(3, ' a@x.ch', { tenantId: 2, code: 'c1', city: 'Bern', bossId: 1, alias: ' bob ' }),
      person(4, 'ü@x.ch', { tenantId: 2, code: '', phone: 't', notes: [1, { b: 2 }], age: 2 }),
      person(5, '😀@x.ch', { city: '', alias: '', bossId: 4, scan: new Uint8Array([1, 2]) }),
      person(6, '', { code: 'c1', isActive: true, bornAt: new Date(0), notes: Prisma.JsonNull }),
    ],
  })
  await prisma.card.createMany({
    data: [
      { id: 1, personId: 1, number: 'n1', content: {}, photo: new Uint8Array() },
      { id: 2, personId: 2, number: 'n2', content: 'x', photo: new Uint8Array([0]) },
      { id: 3, personId: 4, photo: new Uint8Array([0x52, 0x53, 1]) },
    ],
  })
  await prisma.visit.createMany({
    data: [
      { day: 1, room: 'a', personId: 1, finding: 't', extra: { set: 1 } },
      { day: 1, room: 'b', personId: 1, finding: '' },
      { day: 2, room: 'a', personId: 2, finding: 'ü€😀' },
      { day: 2, room: 'b', personId: 4, finding: 't', extra: Prisma.JsonNull },
    ],
  })
  const key = (n: number): string => `00000000-0000-4000-8000-00000000000${n}`
  const people = (...ids: number[]): object => ({ connect: ids.map((id) => ({ id })) })
  await prisma.tag.create({
    data: { key: key(1), label: 'Ann', secret: 'Bern', people: people(1, 2) },
  })
  await prisma.tag.create({
    data: { key: key(2), label: 'Bea', secret: 'bern', people: people(1) },
  })
  await prisma.tag.create({ data: { key: key(3), secret: '', people: people(5, 6) } })
  await prisma.tag.create({ data: { key: key(4), label: '' } })
}
