const SUFFIX = '/index'

/** Name of the keyring that holds a keyring's index keys, in the same store. */
export function indexKeyringOf(keyring: string): string {
  return keyring + SUFFIX
}

/** Is this the name of a keyring of index keys? No other keyring may be called so. */
export function isIndexKeyring(keyring: string): boolean {
  return keyring.endsWith(SUFFIX)
}

/** The keyring whose index keys a keyring holds; of any other its own name. */
export function baseKeyringOf(keyring: string): string {
  return isIndexKeyring(keyring) ? keyring.slice(0, -SUFFIX.length) : keyring
}
