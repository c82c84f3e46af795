import internals from '@prisma/internals'
import { randomBytes } from 'node:crypto'
import { fieldEncryptionExtension } from 'prisma-field-encryption'

const KEY = 'ROWSEAL_BENCH_PEER_KEY'

/** What `prisma-field-encryption` asks for on Prisma 7, whose clients carry no DMMF. */
export async function peerExtension(schema: string): Promise<any> {
  process.env[KEY] ??= `k1.aesgcm256.${randomBytes(32).toString('base64url').padEnd(44, '=')}`
  const dmmf: any = await internals.getDMMF({ datamodel: schema })
  return fieldEncryptionExtension({ encryptionKey: process.env[KEY], dmmf })
}
