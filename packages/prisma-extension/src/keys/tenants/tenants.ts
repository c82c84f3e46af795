import { KeyError } from '../../errors.ts'
import { isIndexKeyring } from '../indexes/index-name.ts'

const PREFIX = 'tenant/'
/** What the name of a keyring may hold, without the slash that parts it. */
const ID = /^[A-Za-z0-9._:@+-]{1,115}$/

/**
 * Name of the keyring of a tenant: `tenant/acme` for `acme`.
 *
 * @throws {KeyError} `ERR_TENANT` unless the id is 1 to 115 letters, digits and `._:@+-`, and not `index`.
 */
export function tenantKeyring(tenant: string): string {
  if (isTenantId(tenant)) return PREFIX + tenant
  throw new KeyError('ERR_TENANT', 'This is no id of a tenant.', {
    fix: 'Use 1 to 115 letters, digits and ._:@+- such as the uuid of the tenant; `index` is taken.',
  })
}

/** Can this be the id of a tenant? `index` cannot: `tenant/index` has the index keys of a keyring `tenant`. */
export function isTenantId(tenant: unknown): tenant is string {
  return typeof tenant === 'string' && ID.test(tenant) && !isIndexKeyring(PREFIX + tenant)
}

/** Is this the name of a tenant's keyring? That of its index keys is not. */
export function isTenantKeyring(keyring: string): boolean {
  return keyring.startsWith(PREFIX) && isTenantId(keyring.slice(PREFIX.length))
}

/** Names of tenants' keyrings begin with this. */
export const TENANT_PREFIX = PREFIX
