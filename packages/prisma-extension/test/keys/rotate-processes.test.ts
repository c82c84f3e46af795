import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initKeyring, openKeyring, rotate, type Keyring } from '../../src/keys/index.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'
import { home, homeKinds, type Home } from './homes.ts'

const RUNS = 100
const statesOf = (keyring: Keyring): string[] => keyring.keys().map(({ state }) => state)

describe.each(await homeKinds())('processes that share a key store (%s)', (kind) => {
  const key = randomBytes(32)
  let at: Home
  let keyring: Keyring
  const children: ChildProcess[] = []

  beforeAll(async () => {
    at = await home(kind)
    keyring = await openKeyring({ root: localRootKey({ key }), store: at.store })
    await initKeyring(keyring)
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await at.drop()
  })

  async function process_(): Promise<ChildProcess> {
    const path = fileURLToPath(new URL('rotate-child.ts', import.meta.url))
    const child = fork(path, [kind, at.at], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ROTATE_CHILD_KEY: key.toString('hex') },
    })
    children.push(child)
    expect(await once(child, 'message')).toContain('ready')
    return child
  }

  async function ask(
    child: ChildProcess,
    what: string | number,
  ): Promise<{ done?: number; code?: string }> {
    const answer = once(child, 'message')
    child.send(what)
    return ((await answer) as [{ done?: number; code?: string }])[0]
  }

  test('finish the rotation of one that is killed between its steps', async () => {
    const child = await process_()
    const exit = once(child, 'exit')
    child.send('die')
    expect(await exit).toEqual([null, 'SIGKILL'])
    await keyring.refresh()
    expect(statesOf(keyring)).toEqual(['active', 'pre-activation'])
    const { from, to } = await rotate(keyring)
    expect([from.keyId, to.keyId]).toEqual([1, 2])
    expect(statesOf(keyring)).toEqual(['suspended', 'active'])
  })

  test('and rotate at once what both found due, do so once, a hundred times', async () => {
    const racers = await Promise.all([process_(), process_()])
    for (let round = 0; round < RUNS; round++) {
      const [before, versions] = [keyring.activeKeyId!, keyring.keys().length]
      const answers = await Promise.all(racers.map((child) => ask(child, before)))
      const won = answers.flatMap(({ done }) => done ?? [])
      const lost = answers.flatMap(({ code }) => code ?? [])
      await keyring.refresh()
      expect([won, keyring.keys().length]).toEqual([[keyring.activeKeyId], versions + 1])
      expect(statesOf(keyring).filter((state) => state === 'active')).toHaveLength(1)
      // SQLite may be busy for the loser.
      expect(['ERR_KEYRING_CONFLICT', 'ERR_KEY_UNAVAILABLE']).toContain(lost[0])
    }
    for (const child of racers) child.send('end')
  })

  test('lose none of the uses that one reserved which is killed in the middle', async () => {
    const usesOf = async (): Promise<number> => {
      await keyring.refresh()
      return keyring.keys()[0]!.uses
    }
    const before = await usesOf()
    const running = await Promise.all([process_(), process_(), process_()])
    let held = 0
    const ends = running.map(async (child, i) => {
      let own = 0
      child.on('message', (message: { held: number }) => {
        own = message.held
        if (own === 15 + i) child.kill('SIGKILL')
      })
      child.send('reserve')
      await once(child, 'close')
      held += own
    })
    await Promise.all(ends)
    const counted = (await usesOf()) - before
    expect(counted).toBeGreaterThanOrEqual(held)
    expect(counted).toBeLessThanOrEqual(held + 300)
  })
})
