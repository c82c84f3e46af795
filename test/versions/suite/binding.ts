import { expect, it } from 'vitest'
import type { Combination } from '../combination.ts'

const BINDING = { code: 'ERR_RECORD_BINDING' }

/** Values bound to generated ids and to foreign keys. What Prisma does with `where` is what differs most. */
export function bindingSuite(of: () => Combination): void {
  it('seals with ids that it makes, in nested creates too', async () => {
    const { prisma } = of()
    await prisma.sender.create({
      data: { letters: { create: [{ code: 'a', text: 'A' }, { code: 'b' }] } },
    })
    expect(
      await prisma.letter.findUnique({ where: { code: 'a' }, select: { text: true } }),
    ).toEqual({ text: 'A' })
  })

  it('updates by what where says, or by what it reads first, in a transaction on its connection', async () => {
    const { prisma } = of()
    const { id, senderId } = await prisma.letter.findUnique({ where: { code: 'a' } })
    expect(
      await prisma.letter.update({ where: { id, senderId }, data: { text: '1' } }),
    ).toMatchObject({ text: '1' })
    const where = { code: 'a' }
    expect(await prisma.letter.update({ where, data: { text: '2' } })).toMatchObject({ text: '2' })
    const write = { where, create: { code: 'a', senderId }, update: { text: '3' } }
    expect(await prisma.letter.upsert(write)).toMatchObject({ text: '3' })
    await prisma.$transaction(async (tx: any) => {
      await tx.letter.create({ data: { code: 'c', senderId } })
      await tx.letter.update({ where: { code: 'c' }, data: { text: '4' } })
    })
    await prisma.sender.update({
      where: { id: senderId },
      data: { letters: { update: { where: { id }, data: { text: '5' } } } },
    })
    const found = await prisma.letter.findMany({ orderBy: { code: 'asc' }, select: { text: true } })
    expect(found).toEqual([{ text: '5' }, { text: null }, { text: '4' }])
    const missing = prisma.letter.update({ where: { code: 'z' }, data: { text: '6' } })
    await expect(missing).rejects.toMatchObject({ code: 'P2025' })
  })

  it('writes only where the record is still as it was read', async () => {
    const { prisma } = of()
    const { id } = await prisma.sender.create({ data: {} })
    let attempts = 0
    const overtaken = prisma.$extends({
      query: {
        letter: {
          update: async ({ args, query }: any) => {
            if (++attempts === 1)
              await prisma.letter.update({
                where: { code: 'b' },
                data: { senderId: id, text: 'theirs' },
              })
            return query(args)
          },
        },
      },
    })
    const done = await overtaken.letter.update({ where: { code: 'b' }, data: { text: 'ours' } })
    expect(done).toMatchObject({ senderId: id, text: 'ours' })
    expect(attempts).toBe(2)
  })

  it('refuses a batch that would have to read, a change by itself, and a value of another record', async () => {
    const { prisma, base } = of()
    const where = { code: 'a' }
    const update = prisma.letter.update({ where, data: { text: 'x' } })
    await expect(prisma.$transaction([update])).rejects.toMatchObject(BINDING)
    await expect(prisma.letter.update({ where, data: { senderId: 's' } })).rejects.toMatchObject(
      BINDING,
    )
    const { text } = await base.letter.findUnique({ where })
    await base.letter.update({ where: { code: 'c' }, data: { text } })
    await expect(prisma.letter.findMany()).rejects.toMatchObject({ code: 'ERR_ENVELOPE_AUTH' })
    await base.letter.delete({ where: { code: 'c' } })
  })
}
