import type { FieldKeyring, Opened } from '../../src/keys/index.ts'
import { OpenSites, sealAll, type Chunk, type SealSite } from '../../src/query/index.ts'
import type { Walks } from './walks.ts'

/** Rows as a create of these would have stored them. */
export async function stored(
  { collect, keyring }: Walks,
  model: string,
  data: object[],
  sealed: Map<string, SealSite> | null = null,
): Promise<any[]> {
  const { args, sites } = collect(model, 'createMany', { data })
  const deks = await keyring.forProtect(sites.deks.get(keyring) ?? 1)
  sealAll(sites, new Map([[keyring, deks]]), sealed)
  return args['data'] as any[]
}

const keysFor = async ({ wanted }: Chunk): Promise<Map<FieldKeyring, readonly Opened[]>> => {
  const keys = new Map<FieldKeyring, readonly Opened[]>()
  for (const [keyring, envelopes] of wanted)
    keys.set(keyring, await keyring.forProcessEach(envelopes))
  return keys
}

export async function open(from: Walks, model: string, value: unknown, sites = new OpenSites()) {
  const chunks: Chunk[] = []
  for (const chunk of sites.walk(from.plan.get(model)!, value, null)) {
    chunk.open(await keysFor(chunk))
    chunks.push(chunk)
  }
  return { sites, chunks }
}
