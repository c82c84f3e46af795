import { afterEach, describe, expect, it } from 'vitest'
import { decrypt, verify } from '../src/index.ts'
import { closeWorlds, drain, PROVIDERS, world, type Provider } from './world.ts'

afterEach(closeWorlds)

const note = (provider: Provider, option = ''): string => `
model Note {
  id   Int   @id
  /// @encrypted${option}
  text Json? ${provider === 'postgresql' ? '@db.Json' : ''}
}`

const SPACED = {
  postgresql: `(text::text || ' ')::json`,
  mysql: `CONCAT(text, ' ')`,
  sqlite: `text || ' '`,
}

describe.each(PROVIDERS)('Json that keeps its text, on %s', (provider) => {
  it('is told of where an envelope is spelt in another way, and no run is done before that', async () => {
    const w = await world(provider, note(provider))
    for (const id of [1, 2]) await w.sealed.note.create({ data: { id, text: { id } } })
    await w.run(`UPDATE "Note" SET text = ${SPACED[provider]} WHERE id = 1`)
    const told = async (): Promise<unknown> => {
      const entries = await w.query('SELECT record_key, code, direction FROM rowseal_quarantine')
      await w.run('DELETE FROM rowseal_quarantine')
      return entries
    }
    const entry = { record_key: '["1"]', code: 'ERR_ENVELOPE_MALFORMED' }

    expect(await verify(w.config)).toMatchObject({ outcome: 'incomplete', bad: 1 })
    expect(await told()).toEqual([{ ...entry, direction: 'verify' }])
    await w.rotate()
    expect(await drain(w.config)).toMatchObject({ outcome: 'incomplete', rows: 1, quarantined: 1 })
    expect(await told()).toEqual([{ ...entry, direction: 'drain' }])
    const out = await world(provider, note(provider, '(seal: off)'), { on: w, init: false })
    expect(await decrypt(out.config)).toMatchObject({
      ...{ outcome: 'incomplete', rows: 1, quarantined: 1 },
    })
    expect(await told()).toEqual([{ ...entry, direction: 'decrypt' }])
  })
})
