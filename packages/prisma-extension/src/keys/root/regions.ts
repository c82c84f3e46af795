import { inspect } from 'node:util'
import { KeyError } from '../../errors.ts'
import type { RootKey, RootKeyInfo, WrapContext, WrappedKey } from '../types.ts'

type Rotate = NonNullable<RootKey['rotate']>
type Rebind = NonNullable<RootKey['rebind']>

/**
 * The same root key, which refuses to leave the allowed regions before it is called: by the regions its
 * calls may go to, and by that of a stored root key id.
 *
 * @throws {KeyError} from each of its methods: `ERR_ROOT_KEY_REGION`
 */
export function withinRegions(root: RootKey, allowed: readonly string[]): RootKey {
  return new BoundedRootKey(root, allowed)
}

class BoundedRootKey implements RootKey {
  readonly provider: string
  readonly rotate?: Rotate
  readonly rebind?: Rebind
  readonly #root: RootKey
  readonly #allowed: readonly string[]

  constructor(root: RootKey, allowed: readonly string[]) {
    this.provider = root.provider
    this.#root = root
    this.#allowed = allowed
    const rotate = root.rotate?.bind(root)
    if (rotate !== undefined) this.rotate = async (how) => (await this.regions(), rotate(how))
    const rebind = root.rebind?.bind(root)
    if (rebind !== undefined) this.rebind = (...args) => this.#moved(args[1], () => rebind(...args))
  }

  async create(context: WrapContext): Promise<WrappedKey & { readonly key: Buffer }> {
    await this.regions()
    const made = await this.#root.create(context)
    try {
      this.#assertIn(made.rootKeyId)
      return made
    } catch (error) {
      made.key.fill(0)
      throw error
    }
  }

  async unwrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<Buffer> {
    await this.regions()
    this.#assertIn(rootKeyId)
    return this.#root.unwrap(wrapped, rootKeyId, context)
  }

  rewrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<WrappedKey> {
    return this.#moved(rootKeyId, () => this.#root.rewrap(wrapped, rootKeyId, context))
  }

  async describe(rootKeyId?: string): Promise<RootKeyInfo> {
    await this.regions()
    if (rootKeyId !== undefined) this.#assertIn(rootKeyId)
    return this.#root.describe(rootKeyId)
  }

  async regions(): Promise<readonly string[]> {
    const regions = await this.#root.regions()
    const outside = regions.filter((region) => !this.#allowed.includes(region))
    if (regions.length > 0 && outside.length === 0) return regions
    const where =
      regions.length === 0 ? 'is in no region' : `may be called in ${outside.join(', ')}`
    throw this.#refused(`The root key (${this.provider}) ${where}`)
  }

  regionOf(rootKeyId: string): string | null {
    return this.#root.regionOf(rootKeyId)
  }

  toJSON(): object {
    return { provider: this.provider, allowedRegions: this.#allowed, root: this.#root }
  }

  [inspect.custom](): string {
    return `${inspect(this.#root)} within ${this.#allowed.join(', ')}`
  }

  async #moved(rootKeyId: string, move: () => Promise<WrappedKey>): Promise<WrappedKey> {
    await this.regions()
    this.#assertIn(rootKeyId)
    const moved = await move()
    this.#assertIn(moved.rootKeyId)
    return moved
  }

  #assertIn(rootKeyId: string): void {
    const region = this.regionOf(rootKeyId)
    if (region !== null && this.#allowed.includes(region)) return
    const known = region === null ? 'The stored root key id' : `Root key ${rootKeyId}`
    throw this.#refused(`${known} is in ${region ?? 'no region'}`)
  }

  #refused(what: string): KeyError {
    return new KeyError(
      'ERR_ROOT_KEY_REGION',
      `${what}, and this keyring allows ${this.#allowed.join(', ')}.`,
      { fix: 'Use a root key in an allowed region.' },
    )
  }
}
