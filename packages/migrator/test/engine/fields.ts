import { randomBytes } from 'node:crypto'
import { openKeyring, type Keyring } from '@rowseal/prisma-extension'
import { encode, sealBytes, sealText, valueAad } from '@rowseal/prisma-extension/envelope'
import { initKeyring } from '@rowseal/prisma-extension/keys'
import type { KeyringOptions } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { memoryKeyStore } from '@rowseal/prisma-extension/stores/memory'
import type { ColumnScalar, PageRow } from '@rowseal/prisma-extension/sql'
import { EnvelopeError } from '@rowseal/prisma-extension'
import type { Target, TargetField } from '../../src/targets.ts'
import { single, type ValueKeyring } from '../../src/tenants.ts'

/** Fields, rows and keyrings in memory, for the parts of the engine that need no database. */

const store = memoryKeyStore()
const root = localRootKey({ key: randomBytes(32) })

export async function keyringOf(
  name: string,
  options: Partial<KeyringOptions> = {},
): Promise<Keyring> {
  const keyring = await openKeyring({ root, store, name, ...options })
  await initKeyring(keyring)
  return keyring
}

export function fieldOf(
  name: string,
  keyring: Keyring,
  options: { type?: 'String' | 'Json' | 'Bytes'; isBound?: boolean; values?: ValueKeyring } = {},
): TargetField {
  const { type = 'String', isBound = false, values = single(keyring) } = options
  const id = `Note.${name}`
  const boundTo: TargetField['boundTo'] = ([text]) => {
    if (!isBound) return null
    if (typeof text === 'string') return [text]
    throw new EnvelopeError('ERR_ENVELOPE_AUTH', `${id} is bound to NULL.`, { fix: 'None.' })
  }
  return {
    label: id,
    name,
    spec: {
      type,
      list: false,
      nullable: true,
      id,
      keyring: keyring.name,
      plaintext: 'refuse',
      seal: 'on',
      pad: 0,
      bind: isBound ? ['tenant'] : [],
    },
    values,
    keyring,
    column: { field: name } as TargetField['column'],
    boundTo,
    aad: (suite, bound) => valueAad(suite, id, (boundTo(bound) ?? []).map((text) => Buffer.from(text))), // prettier-ignore
  }
}

/**
 * A text and bytes under one keyring, which is one object to both, and a bound text under another. Both keyrings
 * are new, so that a test may rotate them.
 */
export async function freshFields(options: Partial<KeyringOptions> = {}) {
  const suffix = randomBytes(6).toString('hex')
  const keyring = await keyringOf(`own${suffix}`, options)
  const other = await keyringOf(`other${suffix}`)
  const values = single(keyring)
  const fields = [
    fieldOf('text', keyring, { values }),
    fieldOf('scan', keyring, { type: 'Bytes', values }),
    fieldOf('bound', other, { isBound: true }),
  ]
  return { keyring, other, fields }
}

export const targetOf = (fields: readonly TargetField[]): Target =>
  ({ model: 'Note', fields, indexes: [], table: { sealed: fields.map(({ column }) => column) } }) as unknown as Target // prettier-ignore

/** Values of one record, sealed with one DEK for each keyring. */
export async function sealed(
  fields: readonly TargetField[],
  texts: readonly (string | null)[],
  bound: PageRow['bound'] = [],
): Promise<(ColumnScalar | null)[]> {
  const deks = new Map(
    await Promise.all(
      [...new Set(fields.map(({ keyring }) => keyring))].map(
        async (keyring) => [keyring, (await keyring.forProtect(1))[0]!] as const,
      ),
    ),
  )
  return fields.map((field, at) => {
    const text = texts[at] ?? null
    if (text === null) return null
    const dek = deks.get(field.keyring)!
    const { type } = field.spec
    const plaintext = encode(type, type === 'Bytes' ? Buffer.from(text) : text, 0)
    const seal = type === 'Bytes' ? sealBytes : sealText
    return seal(dek, field.aad(dek.suite, bound), plaintext)
  })
}

export const rowOf = (
  key: number,
  values: PageRow['values'],
  bound: PageRow['bound'] = [],
): PageRow => ({ key: [String(key)], values, bound })
