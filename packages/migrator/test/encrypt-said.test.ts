import { afterEach, describe, expect, it } from 'vitest'
import { renderEncrypted } from '../src/cli/render-run.ts'
import { decrypt, encrypt } from '../src/index.ts'
import { closeWorlds, world, type World } from './world.ts'

afterEach(closeWorlds)

const secrets = (phone: string): string => `
model Secret {
  id    Int     @id
  /// @encrypted(plaintext: allow)
  value String
  /// @encrypted(${phone})
  phone String?
}
`

/** Rows that nothing has sealed yet. */
async function plaintext(phone: string): Promise<World> {
  const w = await world('sqlite', secrets(phone))
  await w.plain.secret.createMany({
    data: [1, 2, 3].map((id) => ({ id, value: 'plain', phone: 'plain' })),
  })
  return w
}

describe('what encrypt says in the end', () => {
  it('is about the fields that it seals, and not about those with `seal: off`', async () => {
    const w = await plaintext('seal: off')
    const report = await encrypt(w.config, { now: true })
    expect(report.outcome).toBe('done')
    expect(renderEncrypted(report).split('\n').at(-1)).toBe(
      'Every value of these fields is sealed.',
    )
    expect((await w.plain.secret.findFirst()).phone).toBe('plain')
  })

  it('is what to do where every field has `seal: off`', async () => {
    const { config } = await world(
      'sqlite',
      secrets('seal: off').replace('plaintext: allow', 'seal: off'),
    )
    const report = await encrypt(config, { now: true })
    expect(renderEncrypted(report)).toContain('`plaintext: allow`')
  })

  it('names who else may write plaintext where it did not come to an end', async () => {
    const w = await plaintext('plaintext: allow')
    const report = await encrypt(w.config, { now: true, maxPasses: 1 })
    expect(report.outcome).toBe('incomplete')
    expect(renderEncrypted(report)).toContain('something still writes plaintext')
    await encrypt(w.config, { now: true })
    const leaving = secrets('seal: off').replace('plaintext: allow', 'seal: off')
    const { config } = await world('sqlite', leaving, { on: w, init: false })
    const back = await decrypt(config, { now: true, maxPasses: 1 })
    expect(back.outcome).toBe('incomplete')
    expect(renderEncrypted(back)).toContain('an instance still seals')
  })
})
