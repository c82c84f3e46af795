import { openOne, type MigratorConfig } from '../config.ts'
import { chosenKeyring } from '../rotate.ts'
import { rootKeyIds, rootKeysOf, type RootKeyStatus } from './root-keys.ts'

export interface RotateRootOptions {
  /** Name of a keyring; may be left out if there is one. */
  readonly keyring?: string
  /** Let the provider rotate its key every so many days. Default: once, now. */
  readonly automaticDays?: number
}

export interface RotateRootReport {
  readonly keyring: string
  /**
   * `rotated`, `automatic`: the provider did it. `replaced`: nothing was done, since another root key wraps new
   * keys already, and `rewrapKeys` moves what is under the former ones.
   */
  readonly outcome: 'rotated' | 'automatic' | 'replaced'
  readonly rootKey: RootKeyStatus
  /** Ids of other root keys that keys of the keyring are under. */
  readonly former: readonly string[]
}

/**
 * Have the provider rotate the root key of a keyring, automatically from now on or once, now. No row changes and
 * nothing is re-wrapped: the provider still unwraps what older material wrapped.
 *
 * @throws {TypeError} if the provider does not rotate keys.
 * @throws {KeyError} what the root key throws.
 */
export async function rotateRoot(
  config: MigratorConfig,
  { keyring: name, automaticDays }: RotateRootOptions = {},
): Promise<RotateRootReport> {
  const keyring = chosenKeyring(await openOne(config, name), name)
  const { root } = keyring
  if (!(await keyring.refresh())) await keyring.verify()
  await keyring.index.refresh()
  const { rootKeyId } = await root.describe()
  const former = [...rootKeyIds(keyring)].filter((id) => id !== rootKeyId)
  const isReplaced = former.length > 0 && automaticDays === undefined
  if (!isReplaced) {
    if (root.rotate === undefined)
      throw new TypeError(
        `The ${root.provider} root key is not rotated by its provider: give another one in the configuration, the present one as a former one, and run \`npx rowseal keys rewrap\`.`,
      )
    await root.rotate(automaticDays === undefined ? 'now' : { automaticDays })
  }
  const status = (await rootKeysOf([keyring])).find(({ isCurrent }) => isCurrent)!
  const outcome = automaticDays === undefined ? 'rotated' : 'automatic'
  return {
    keyring: keyring.name,
    outcome: isReplaced ? 'replaced' : outcome,
    rootKey: status,
    former,
  }
}
