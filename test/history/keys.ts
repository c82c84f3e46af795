import { createDecipheriv } from 'node:crypto'
import { parseText } from '@rowseal/prisma-extension/envelope'
import { awsKms } from '@rowseal/prisma-extension/providers/aws-kms'
import type { World } from './world.ts'

/** The keys of a history, as the KMS unwraps them: they are collected while it lasts, since some are destroyed. */
export class KeyCollector {
  readonly #base: any
  readonly #root: ReturnType<typeof awsKms>
  /** KEKs and index keys by key id. */
  readonly keys = new Map<number, Buffer>()
  /** What authenticates the store's rows, by keyring. */
  readonly macs = new Map<string, Buffer>()
  /** What the store held of KEKs and index keys. */
  readonly wrapped = new Map<number, Buffer>()

  constructor(world: World, base: any) {
    this.#base = base
    const { endpoint, keyId, region } = world.direct.kms
    const clientConfig = { credentials: { accessKeyId: 'collector', secretAccessKey: 'none' } }
    this.#root = awsKms({ keyId, endpoint, region, clientConfig, maxAttempts: 1 })
  }

  /** Those that are not known yet. What the KMS does not give now it gives later. */
  async look(): Promise<void> {
    const rows: any[] = await this.#base.$queryRawUnsafe(
      'SELECT key_id AS id, keyring AS keyring, root_key_id AS root, wrapped_kek AS wrapped FROM rowseal_keys',
    )
    for (const { id, keyring, root, wrapped } of rows) {
      const keyId = Number(id)
      if (wrapped.length === 0 || this.keys.has(keyId)) continue
      this.wrapped.set(keyId, Buffer.from(wrapped))
      const key = await this.#unwrap(wrapped, root, { keyring, keyId, use: 'kek' })
      if (key !== null) this.keys.set(keyId, key)
    }
    const heads: any[] = await this.#base.$queryRawUnsafe(
      'SELECT name AS keyring, mac_root_key_id AS root, mac_key AS wrapped FROM rowseal_keyrings',
    )
    for (const { keyring, root, wrapped } of heads) {
      if (this.macs.has(keyring)) continue
      const key = await this.#unwrap(wrapped, root, { keyring, keyId: 0, use: 'mac' })
      if (key !== null) this.macs.set(keyring, key)
    }
  }

  #unwrap(...args: Parameters<ReturnType<typeof awsKms>['unwrap']>): Promise<Buffer | null> {
    return this.#root.unwrap(...args).catch(() => null)
  }
}

/** Keys by what to call them. */
export interface KeySecrets {
  readonly keys: ReadonlyMap<string, Buffer>
  /** Of the key store, by key id; those of destroyed keys must be gone from it. */
  readonly wrapped: ReadonlyMap<number, Buffer>
}

/** Every DEK is too many to look for. */
const MAX_DEKS = 300

/** All KEKs, index keys and MAC keys, and some of the DEKs that values were seen under, from the first to the last. */
export function secretsOf(
  { keys, macs, wrapped }: KeyCollector,
  envelopes: ReadonlySet<string>,
): KeySecrets {
  const named = [...keys].map(([keyId, key]): [string, Buffer] => [`key ${keyId}`, key])
  const other = [...macs].map(([name, key]): [string, Buffer] => [`the MAC key of ${name}`, key])
  const every = Math.ceil(envelopes.size / MAX_DEKS)
  const chosen = [...envelopes].filter((_, i) => i % every === 0)
  const deks = chosen.flatMap((envelope, i): [string, Buffer][] => {
    const dek = dekOf(envelope, keys)
    return dek === null ? [] : [[`DEK ${i}`, dek]]
  })
  return { keys: new Map([...named, ...other, ...deks]), wrapped }
}

/** As the specification of envelopes has it, by other code than ours. Null for one that the KMS wraps. */
function dekOf(envelope: string, keys: ReadonlyMap<number, Buffer>): Buffer | null {
  const { keyId, suite, wrapped } = parseText(envelope)!
  const kek = keys.get(keyId)
  if (suite !== 0x01 || kek === undefined) return null
  const id = Buffer.alloc(5)
  id.writeUInt8(suite)
  id.writeUInt32BE(keyId, 1)
  const opening = createDecipheriv('aes-256-gcm', kek, wrapped.subarray(0, 12), {
    authTagLength: 16,
  })
  opening.setAAD(Buffer.concat([Buffer.from('rowseal/v1/dek'), id]))
  opening.setAuthTag(wrapped.subarray(44))
  return Buffer.concat([opening.update(wrapped.subarray(12, 44)), opening.final()])
}
