import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { openKeyring, rotate } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { delegating } from '../keys/support.ts'
import { openSealed } from './databases.ts'

const SCHEMA = `
model Pair {
  id     Int    @id
  /// @encrypted
  first  String
  /// @encrypted(keyring: "other")
  second String?
}
`
const MAX_AGE_MS = 250

/** Two keyrings; what happens while the root key opens the second one's KEK. */
async function open(meanwhile: () => Promise<void>) {
  const sealed = await openSealed('sqlite', SCHEMA, { keyrings: ['other'] })
  const { base, plan, store } = sealed
  const root = localRootKey({ env: 'ROWSEAL_TEST_ROOT_KEY' })
  const state = { isSlow: false }
  const slow = {
    ...delegating(root),
    unwrap: async (...args: Parameters<typeof root.unwrap>) => {
      if (state.isSlow && args[2].keyring === 'other') await meanwhile()
      return root.unwrap(...args)
    },
  }
  const options = { store, refreshMs: 100, maxAgeMs: MAX_AGE_MS }
  const keyrings = [
    await openKeyring({ ...options, root }),
    await openKeyring({
      ...options,
      root: slow,
      name: 'other',
      kekCache: { maxAgeMs: 100 },
    }),
  ]
  const prisma: any = base.$extends(rowseal({ plan, keyring: keyrings }))
  await prisma.pair.create({ data: { id: 1, first: 'a', second: 'b' } })
  await sleep(150) // until the KEK is forgotten
  state.isSlow = true
  return { sealed, prisma, state }
}

const keyOf = (envelope: string): number => parseInt(envelope.slice(4, 12), 16)

it('a value is not sent under a key that was replaced while another key was waited for', async () => {
  const world = await open(async () => {
    world.state.isSlow = false
    await rotate(world.sealed.keyring)
    await sleep(2 * MAX_AGE_MS)
  })
  const { base, keyring } = world.sealed
  const former = keyring.activeKeyId
  await world.prisma.pair.create({ data: { id: 2, first: 'a', second: 'b' } })
  expect(world.state.isSlow).toBe(false)
  expect(keyring.activeKeyId).not.toBe(former)
  const row = await base.pair.findUnique({ where: { id: 2 } })
  expect(keyOf(row.first)).toBe(keyring.activeKeyId)
  expect(await world.prisma.pair.findUnique({ where: { id: 2 } })).toMatchObject({ first: 'a' })
  await world.sealed.close()
})
