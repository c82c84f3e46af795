import { decrypt, encrypt, init, reindex, type RunReport } from '@rowseal/migrator'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  openKeyring,
} from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, type GeneratedClient } from '@rowseal/test-support'
import { randomBytes } from 'node:crypto'
import type { Direction } from '../../packages/migrator/src/engine/direction.ts'
import { runDirection } from '../../packages/migrator/src/engine/run.ts'
import {
  decryptCeiling,
  encryptCeiling,
  reindexCeiling,
  type MadeBefore,
} from './migrator/ceiling.ts'
import { KeptTable } from './migrator/kept-table.ts'
import type { Provider } from './migrator/world.ts'

const CHUNK = 1_000

const schema = (options: string): string => `
model Note {
  id         Int     @id
  /// @encrypted(${options})
  title      String
  /// @blindIndex(title)
  titleIndex String?
  /// @encrypted(${options})
  text       String
}`

/** Rows per second, one for each round. */
export interface Rates {
  readonly own: number[]
  /** The same reads and updates, with values made before and without cryptography. */
  readonly ceiling: number[]
}

/** A direction, from what the table held before it. */
interface Work {
  readonly from: string
  readonly config: { readonly client: any; readonly plan: any; readonly keyring: any }
  readonly own: (config: Work['config'], options: { now: true }) => Promise<Done>
  readonly ceiling: (made: MadeBefore) => Direction
}

type Done = Pick<RunReport, 'rows'>

/**
 * How fast a table of two fields of 60 bytes and an index is sealed, indexed anew, and opened: each in turn with its
 * ceiling, from the same rows.
 */
export async function directionRates(
  provider: Provider,
  rows: number,
  rounds: number,
): Promise<Readonly<Record<'encrypt' | 'reindex' | 'decrypt', Rates>>> {
  const entering = await generatedClient({ provider, schema: schema('plaintext: allow') })
  const leaving = await generatedClient({ provider, schema: schema('seal: off') })
  const db = await database(provider)
  await db.exec(entering.ddl)
  const clientOf = ({ PrismaClient }: GeneratedClient): any =>
    new PrismaClient({ adapter: db.adapter() })
  const [client, last] = [clientOf(entering), clientOf(leaving)]
  for (let at = 0; at < rows; at += CHUNK) {
    const data = Array.from({ length: Math.min(CHUNK, rows - at) }, (_, i) => note(at + i))
    await client.note.createMany({ data })
  }
  const root = localRootKey({ key: randomBytes(32) })
  const keyring = await openKeyring({ root, store: sqlKeyStore(client) })
  await initKeyring(keyring)
  await initIndexKeys(keyring)
  const config = { client, plan: entering.plan, keyring }
  const off = { client: last, plan: leaving.plan, keyring }
  await init(config)
  const table = new KeptTable(provider, client, db.exec)
  await table.keep('Plain')
  const measured = async (rates: Rates, work: Work): Promise<void> => {
    const { from, own, ceiling, config: of } = work
    await table.putBack(from)
    rates.own.push(await rate(rows, () => own(of, { now: true })))
    const held = await table.held()
    const direction = ceiling(({ key }) => held.get(Number(key[0]))!)
    await table.putBack(from)
    const top = (): Promise<Done> => runDirection(of, direction, { now: true }).then(reportOf)
    rates.ceiling.push(await rate(rows, top))
  }
  const rates = { encrypt: none(), reindex: none(), decrypt: none() }
  for (let round = 0; round < rounds; round++) {
    await measured(rates.encrypt, { from: 'Plain', config, own: encrypt, ceiling: encryptCeiling })
    await reindex(config, { now: true }) // which finds the index filled, and notes that
    await table.keep('Sealed')
    await addIndexKey(keyring)
    await activateIndexKey(keyring)
    await measured(rates.reindex, { from: 'Sealed', config, own: reindex, ceiling: reindexCeiling })
    await measured(rates.decrypt, { from: 'Sealed', config: off, own: decrypt, ceiling: decryptCeiling }) // prettier-ignore
  }
  await Promise.all([client.$disconnect(), last.$disconnect()])
  await db.drop()
  return rates
}

const none = (): Rates => ({ own: [], ceiling: [] })

const reportOf = ({ report }: { readonly report: Done }): Done => report

export function note(id: number): Record<string, unknown> {
  return { id, title: `title ${id}`.padEnd(60, '.'), text: `text ${id}`.padEnd(60, '.') }
}

async function rate(rows: number, work: () => Promise<Done>): Promise<number> {
  const start = performance.now()
  const report = await work()
  const seconds = (performance.now() - start) / 1000
  if (report.rows !== rows) throw new Error(`${report.rows} of ${rows} rows were rewritten.`)
  return Math.round(rows / seconds)
}
