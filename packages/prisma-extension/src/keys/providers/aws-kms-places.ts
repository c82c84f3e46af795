import { KeyError } from '../../errors.ts'
import {
  inRegion,
  isMultiRegion,
  isSameAccount,
  isSameKey,
  parseArn,
  parseKeyArn,
  type KmsArn,
} from './aws-kms-arn.ts'
import type { CheckedAwsOptions } from './aws-kms-options.ts'

/** A key in a region: what a call names, and where it goes. */
export interface Place {
  readonly keyId: string
  readonly region: string
}

/** Which keys in which regions calls may go to. */
export class Places {
  readonly #options: CheckedAwsOptions
  readonly #defaultRegion: () => Promise<string>

  constructor(options: CheckedAwsOptions, defaultRegion: () => Promise<string>) {
    this.#options = options
    this.#defaultRegion = defaultRegion
  }

  /** The root key that new keys are made under and its replicas, in the order to try them. */
  async targets(): Promise<readonly [Place, ...Place[]]> {
    const { first, replicas } = this.#options
    const region = first.region ?? (await this.#defaultRegion())
    const rest = replicas.map((replica) => ({ keyId: replica.arn, region: replica.region }))
    return [{ keyId: first.keyId, region }, ...rest]
  }

  async regions(): Promise<readonly string[]> {
    const all = [...(await this.targets()), ...this.#options.former]
    return [...new Set(all.map(({ region }) => region))]
  }

  /**
   * Where a stored key can be unwrapped, in the order to try: at its own key ARN, or, if that is a replica
   * of the root key, at every replica of it.
   *
   * @throws {KeyError} `ERR_KEY_MISMATCH` for what is no key ARN or another account's,
   *   `ERR_ROOT_KEY_REGION` if calls may not go there.
   */
  async of(rootKeyId: string): Promise<readonly [Place, ...Place[]]> {
    const stored = this.#ours(rootKeyId)
    const targets = await this.targets()
    const roots = targets.map(({ keyId }) => parseKeyArn(keyId))
    const isRoot = roots.some((root) => root !== null && isSameKey(root, stored))
    if (isRoot && isMultiRegion(stored)) {
      const replica = ({ region }: Place): Place => ({ keyId: inRegion(stored, region), region })
      const [first, ...rest] = targets
      return [replica(first), ...rest.map(replica)]
    }
    const regions = await this.regions()
    if (regions.includes(stored.region)) return [{ keyId: stored.arn, region: stored.region }]
    throw outside(stored, regions)
  }

  /** Where the ARNs given tell the account, a key that somebody brought along in his own is refused. */
  #ours(rootKeyId: string): KmsArn {
    const stored = parseKeyArn(rootKeyId)
    const { first, former } = this.#options
    const root = parseArn(first.keyId)
    const isOurs =
      stored !== null &&
      (root === null || [root, ...former].some((arn) => isSameAccount(arn, stored)))
    if (isOurs) return stored
    const what = stored === null ? 'is no ARN of a KMS key' : `is of account ${stored.account}`
    throw new KeyError('ERR_KEY_MISMATCH', `The stored root key id ${shown(rootKeyId)} ${what}.`, {
      fix: 'Give the root key that belongs to this key store, or list it in `former` of awsKms.',
    })
  }
}

function outside({ arn, region }: KmsArn, regions: readonly string[]): KeyError {
  return new KeyError(
    'ERR_ROOT_KEY_REGION',
    `Root key ${arn} is in ${region}, and awsKms may call ${regions.join(', ')}. Nothing was called.`,
    { fix: `List ${arn} in \`former\` of awsKms, if it may be called.` },
  )
}

/** A stored text may be anything; what looks like no id is not repeated. */
function shown(rootKeyId: string): string {
  return /^[\w:/.@+-]{1,256}$/.test(rootKeyId) ? `"${rootKeyId}"` : '(unreadable)'
}
