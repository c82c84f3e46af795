import { openKeyring as open, type Keyring, type KeyringOptions } from '../../src/keys/index.ts'

/** As the real one, with room for few DEKs: that for 100,000 takes 15 ms to make. */
export function openKeyring(options: KeyringOptions): Promise<Keyring> {
  return open({ ...options, dekCache: { entries: 1000, ...options.dekCache } })
}
