import { afterEach, describe, expect, it } from 'vitest'
import { encrypt, reindex } from '../src/index.ts'
import { closeWorlds, PROVIDERS, world, type Provider, type World } from './world.ts'

afterEach(closeWorlds)

const user = (provider: Provider, option: string): string => `
model User {
  id         Int     @id
  /// @encrypted(${option})
  email      String  @unique ${provider === 'mysql' ? '@db.VarChar(255)' : ''}
  /// @blindIndex(email, normalize: [lowercase])
  emailIndex String? @unique
}
`

/** As the README has it for a table that has rows: `seal: off`, reindex, `plaintext: allow`, encrypt. */
describe.each(PROVIDERS)(
  'a unique field that enters Rowseal by way of seal: off on %s',
  (provider) => {
    it('is looked up from the reindex on, keeps duplicates out all along, and is sealed', async () => {
      const open = await world(provider, user(provider, 'seal: off'))
      const data = [1, 2, 3].map((id) => ({ id, email: `User${id}@example.org` }))
      await open.plain.user.createMany({ data })
      const keepsDuplicatesOut = async (w: World): Promise<void> => {
        for (const { email } of data)
          await expect(w.sealed.user.create({ data: { id: 9, email } })).rejects.toMatchObject({
            code: 'P2002',
          })
      }
      const isFound = async (w: World): Promise<void> => {
        const found = await w.sealed.user.findUnique({ where: { email: 'USER2@example.org' } })
        expect(found).toMatchObject(data[1]!)
      }
      await keepsDuplicatesOut(open)
      await expect(isFound(open)).rejects.toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })
      expect(await reindex(open.config, { now: true })).toMatchObject({ outcome: 'done' })
      await isFound(open)

      const w = await world(provider, user(provider, 'plaintext: allow'), { on: open, init: false })
      await w.sealed.user.update({ where: { id: 3 }, data: { email: data[2]!.email } })
      // While one instance seals, another does not yet.
      for (const each of [open, w]) {
        await keepsDuplicatesOut(each)
        await isFound(each)
        expect(await each.sealed.user.findMany({ orderBy: { id: 'asc' } })).toMatchObject(data)
      }
      expect(await encrypt(w.config)).toMatchObject({ outcome: 'done', rows: 2 })
      await keepsDuplicatesOut(w)
      await isFound(w)
      for (const { email } of await w.plain.user.findMany()) expect(email).toMatch(/^rs1\./)
    })
  },
)
