import { KeyError } from '../errors.ts'
import { baseKeyringOf, isIndexKeyring } from './indexes/index-name.ts'
import { isTenantKeyring } from './tenants/tenants.ts'
import type { KeyStore } from './types.ts'

/** What a keyring says that changed again and again while a key was loaded. */
export function unsettled(keyring: string): KeyError {
  return new KeyError('ERR_KEY_UNAVAILABLE', `Keyring "${keyring}" changed while it was read.`, {
    fix: 'Try again.',
    retryable: true,
  })
}

/** What a keyring says that was closed, as a tenant's is before it is destroyed. */
export function keyringClosed(keyring: string): KeyError {
  const isIndex = isIndexKeyring(keyring)
  const named = `--keyring ${baseKeyringOf(keyring)}`
  return new KeyError('ERR_KEY_STATE', `Keyring "${keyring}" is closed and seals nothing.`, {
    fix: `If that was a mistake: \`npx rowseal keys destroy ${named} --cancel\`, then \`npx rowseal rotate ${isIndex ? '--index ' : ''}${named}\`.`,
  })
}

export function keyringMissing(keyring: string, store: KeyStore): KeyError {
  const what = isIndexKeyring(keyring) ? 'keyring of index keys' : 'keyring'
  const tenant = baseKeyringOf(keyring)
  return new KeyError(
    'ERR_KEYRING_MISSING',
    `There is no ${what} "${keyring}" in the ${store.name}.`,
    {
      fix: isTenantKeyring(tenant)
        ? `Run \`npx rowseal init --keyring ${tenant}\`, or \`keyrings.create\` where tenants are made.`
        : 'Run `npx rowseal init` once for this database.',
    },
  )
}
