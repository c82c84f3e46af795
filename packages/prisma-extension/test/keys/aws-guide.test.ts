import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import {
  initKeyring,
  openKeyring,
  rewrapDeks,
  rewrapKeys,
  rotate,
  type Keyring,
  type KeyringOptions,
} from '../../src/keys/index.ts'
import { memoryKeyStore } from '../../src/keys/stores/memory.ts'
import { endpoints, rootAt } from './aws-support.ts'
import { wrappedOf } from './rings.ts'

// What docs/providers/aws-kms.md says of permissions and of rotating the root key is so.

const { own } = await endpoints()
afterAll(() => own.stop())
afterEach(() => own.recover())

const guide = readFileSync(
  new URL('../../../../docs/providers/aws-kms.md', import.meta.url),
  'utf8',
)
const APPLICATION = ['GenerateDataKey', 'Decrypt']
const OTHERS = [
  'DescribeKey',
  'EnableKeyRotation',
  'GetKeyRotationStatus',
  'ListKeyRotations',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RotateKeyOnDemand',
]

/** The actions that the guide says a command needs beside those of the application. */
function actionsOf(command: string): string[] {
  const row = guide.split('\n').find((line) => line.startsWith(`| \`rowseal ${command}\` `))
  return [...row!.matchAll(/`kms:(\w+)`/g)].map(([, action]) => action!)
}

/** A keyring under an alias. */
async function atAlias(options: Partial<KeyringOptions> = {}) {
  const alias = `alias/${randomUUID()}`
  const arn = own.createKey({ alias })
  const keyring = await openKeyring({
    root: rootAt(own.url, alias),
    store: memoryKeyStore(),
    ...options,
  })
  await initKeyring(keyring)
  return { alias, arn, keyring }
}

const commands: Record<string, (keyring: Keyring, alias: string) => Promise<unknown>> = {
  'keys rewrap': async (keyring, alias) => {
    own.createKey({ alias }) // the alias goes to it
    expect(await rewrapKeys(keyring)).toHaveLength(2)
  },
  'drain --rewrap': async (keyring) => {
    const deks = await keyring.forProtect(1)
    await rotate(keyring)
    expect(await rewrapDeks(keyring, deks.map(wrappedOf))).toMatchObject([{ keyId: 2 }])
  },
  'keys list': ({ root }) => root.describe(),
  'rotate --root': async ({ root }) => {
    await root.describe()
    await root.rotate!('now')
    await root.rotate!({ automaticDays: 365 })
  },
}

describe('the guide to AWS KMS', () => {
  test.each(Object.keys(commands))('names all permissions of rowseal %s', async (command) => {
    const wrapping = command === 'drain --rewrap' ? 'kms' : 'kek'
    const { keyring, alias } = await atAlias({ wrapping })
    const needed = actionsOf(command)
    expect(APPLICATION.filter((action) => needed.includes(action))).toEqual([])
    for (const action of OTHERS) if (!needed.includes(action)) own.deny(action)
    await commands[command]!(keyring, alias)
  })

  test('says what rewrapping does once the root key has new material', async () => {
    const { keyring } = await atAlias()
    await keyring.root.rotate!('now')
    expect(await rewrapKeys(keyring)).toEqual([])
    expect(guide).toContain('`rowseal keys rewrap` leaves them there')
  })
})
