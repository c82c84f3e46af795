import { randomUUID } from 'node:crypto'
import { newMaterial, type Material } from './ciphertext.ts'
import { KmsError } from './errors.ts'

export const ACCOUNT = '111122223333'

/** What replicas of one key have in common. */
export interface SharedKey {
  readonly material: Material
  readonly usage: 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY'
  primaryRegion: string
  rotationDays: number | null
  rotationSince: Date
  readonly rotations: { readonly at: Date; readonly type: 'AUTOMATIC' | 'ON_DEMAND' }[]
}

export interface Key {
  readonly id: string
  readonly arn: string
  readonly region: string
  readonly isMultiRegion: boolean
  readonly createdAt: Date
  readonly shared: SharedKey
  isEnabled: boolean
  deletionAt: Date | null
}

interface NewKey {
  readonly isMultiRegion: boolean
  readonly usage: SharedKey['usage']
}

/** The keys and aliases of one AWS account, in all of its regions. */
export class KmsWorld {
  readonly #keys = new Map<string, Key>()
  readonly #aliases = new Map<string, string>()

  create(region: string, { isMultiRegion, usage }: NewKey): Key {
    const id = isMultiRegion ? `mrk-${randomUUID().replaceAll('-', '')}` : randomUUID()
    const shared: SharedKey = {
      material: newMaterial(),
      usage,
      primaryRegion: region,
      rotationDays: null,
      rotationSince: new Date(),
      rotations: [],
    }
    return this.#add(id, region, isMultiRegion, shared)
  }

  /** The same key, by the same id, in another region. */
  replicate(key: Key, region: string): Key {
    if (!key.isMultiRegion)
      throw new KmsError('UnsupportedOperationException', `${key.arn} is not multi-Region.`)
    if (this.#keys.has(arnOf(region, key.id)))
      throw new KmsError('AlreadyExistsException', `${key.id} is in ${region} already.`)
    return this.#add(key.id, region, true, key.shared)
  }

  /** What is left once the waiting period of a deletion is over: nothing. */
  purge(arn: string): void {
    this.#keys.delete(arn)
  }

  setAlias(region: string, alias: string, key: Key): void {
    this.#aliases.set(`${region} ${alias}`, key.arn)
  }

  hasAlias(region: string, alias: string): boolean {
    return this.#aliases.has(`${region} ${alias}`)
  }

  /** A key by id, ARN, alias or alias ARN, as a region sees it. */
  find(region: string, keyId: string): Key {
    const [, , , inRegion, account, resource] = keyId.split(':')
    if (inRegion !== undefined && inRegion !== region) throw notFound(`Invalid arn ${inRegion}`)
    if (account !== undefined && account !== ACCOUNT)
      throw new KmsError('AccessDeniedException', `The key ${keyId} is another account's.`)
    const name = resource ?? keyId
    const arn = name.startsWith('alias/')
      ? this.#aliases.get(`${region} ${name}`)
      : arnOf(region, name.replace(/^key\//, ''))
    const key = arn === undefined ? undefined : this.#keys.get(arn)
    if (key !== undefined) return key
    const what = name.startsWith('alias/') ? 'Alias' : 'Key'
    throw notFound(
      `${what} '${keyId.startsWith('arn:') ? keyId : arnOf(region, name)}' is not found.`,
    )
  }

  /** The key of a region that has this material. */
  withMaterial(region: string, materialId: string): Key | undefined {
    return [...this.#keys.values()].find(
      (key) => key.region === region && key.shared.material.id.toString('hex') === materialId,
    )
  }

  replicasOf({ id, region }: Key): Key[] {
    return [...this.#keys.values()].filter((key) => key.id === id && key.region !== region)
  }

  #add(id: string, region: string, isMultiRegion: boolean, shared: SharedKey): Key {
    const key: Key = {
      id,
      arn: arnOf(region, id),
      region,
      isMultiRegion,
      createdAt: new Date(),
      shared,
      isEnabled: true,
      deletionAt: null,
    }
    this.#keys.set(key.arn, key)
    return key
  }
}

function notFound(message: string): KmsError {
  return new KmsError('NotFoundException', message)
}

function arnOf(region: string, id: string): string {
  return `arn:aws:kms:${region}:${ACCOUNT}:key/${id}`
}
