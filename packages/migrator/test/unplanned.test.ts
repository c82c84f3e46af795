import { afterEach, describe, expect, it } from 'vitest'
import { renderDrain } from '../src/cli/render-run.ts'
import { renderStatus, renderVerify } from '../src/cli/render.ts'
import { compromiseKey, status, verify } from '../src/index.ts'
import { addMembers, MEMBERS } from './indexed.ts'
import { drain, closeWorlds, PROVIDERS, world } from './world.ts'

afterEach(closeWorlds)

/** Somebody took the annotation away from a field that holds sealed values. */
const WITHOUT_PHONE = MEMBERS.split('\n')
  .filter((line) => !line.includes('plaintext: allow') && !/blindIndex\(phone/.test(line))
  .join('\n')

const LEFT = { model: 'Member', field: 'phone' }

describe.each(PROVIDERS)('a field whose annotation is gone on %s', (provider) => {
  it('status counts its values, and says that nobody opens them', async () => {
    const w = await world(provider, MEMBERS)
    await addMembers(w, 20)
    const { config } = await world(provider, WITHOUT_PHONE, { on: w, init: false })
    const [{ keyId } = { keyId: 0 }] = w.keyring.keys()
    const report = await status(config)
    expect(report.unplanned).toEqual([{ ...LEFT, keys: [{ keyId, count: 18 }] }])
    expect(report.keys.find((key) => key.keyId === keyId)?.values).toBe(36)
    expect(renderStatus(report)).toContain(
      `18 values of Member.phone are under key ${keyId}, and the plan does not have this field`,
    )
    expect((await status(w.config)).unplanned).toEqual([])
  })

  it('verify says that it opened all but these', async () => {
    const w = await world(provider, MEMBERS)
    await addMembers(w, 20)
    const { config } = await world(provider, WITHOUT_PHONE, { on: w, init: false })
    const report = await verify(config)
    const [{ keyId } = { keyId: 0 }] = w.keyring.keys()
    expect(report.unplanned).toEqual([{ ...LEFT, keys: [{ keyId, count: 18 }] }])
    expect(renderVerify(report)).toContain(`18 values of Member.phone are under key ${keyId}`)
    expect((await verify(config, { models: ['Member'] })).unplanned).toEqual([])
    expect((await verify(w.config)).unplanned).toEqual([])
  })

  it.each(['suspended', 'compromised'])(
    'drain does not say that nothing is under a %s key that has its values',
    async (state) => {
      const w = await world(provider, MEMBERS)
      await addMembers(w, 20)
      const [{ keyId } = { keyId: 0 }] = w.keyring.keys()
      await w.rotate()
      if (state === 'compromised') await compromiseKey(w.config, keyId, { now: true })
      const { config } = await world(provider, WITHOUT_PHONE, { on: w, init: false })
      const report = await drain(config)
      expect(report).toMatchObject({ outcome: 'done', drained: [] })
      expect(report.unplanned).toEqual([{ ...LEFT, keys: [{ keyId, count: 18 }] }])
      expect(renderDrain(report, true)).toContain(
        `18 values of Member.phone are under key ${keyId}`,
      )
      expect((await status(config)).keys.flatMap(({ tasks }) => tasks)).not.toContainEqual(
        expect.objectContaining({ code: 'unused' }),
      )

      const whole = await drain(w.config)
      expect(whole).toMatchObject({ drained: [{ keyId, state }], unplanned: [] })
    },
  )
})
