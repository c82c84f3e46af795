import { afterAll, expect, it } from 'vitest'
import { openContext } from '../src/config.ts'
import { collect, open } from '../src/engine/values.ts'
import { loadTargets } from '../src/targets.ts'
import { closeWorlds, world } from './world.ts'

afterAll(closeWorlds)

it('zeroes a plaintext whose use throws', async () => {
  const w = await world('sqlite', 'model Note {\n id Int @id\n /// @encrypted\n text String\n}')
  await w.sealed.note.create({ data: { id: 1, text: 'secret' } })
  const { text } = await w.plain.note.findUniqueOrThrow({ where: { id: 1 } })
  const [target] = await loadTargets(await openContext(w.config))
  const { fields } = target!
  const { sites } = collect(fields, [{ key: ['1'], values: [text], bound: [] }], () => true)
  const seen: { before: string; plaintext: Buffer }[] = []
  const opened = open(fields, sites, (_, plaintext) => {
    seen.push({ before: plaintext.subarray(1).toString(), plaintext })
    throw new Error('no use')
  })
  await expect(opened).rejects.toThrow('no use')
  expect(seen).toEqual([{ before: 'secret', plaintext: Buffer.alloc(7) }])
})
