import { setTimeout as sleep } from 'node:timers/promises'
import type { Head, Present, Sighting } from './checker/versions.ts'
import { nowUs } from './recorder.ts'
import { SEALED_COLUMNS, type Provider, type SealedColumn } from './schema.ts'

const EVERY_MS = 150

/** Looks at what the tables hold, without keys, all the time: which value is under which key version. */
export class Observer {
  readonly #base: any
  readonly #provider: Provider
  readonly #records: number
  readonly #last = new Map<string, string>()
  readonly #running: Promise<void>
  #isStopped = false
  looks = 0
  /** Of each cell, each time something else is in it. */
  readonly sightings: Sighting[] = []
  /** Of each look, the keys that any value of it is under. */
  readonly present: Present[] = []
  readonly heads: Head[] = []
  readonly envelopes = new Set<string>()

  constructor(base: any, provider: Provider, records: number) {
    this.#base = base
    this.#provider = provider
    this.#records = records
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      // The database may be away.
      await this.look().catch(() => undefined)
      await sleep(EVERY_MS)
    }
  }

  async look(): Promise<void> {
    const startUs = nowUs()
    const keyIds = new Set<number>()
    for (const column of SEALED_COLUMNS)
      for (const { id, writer, text } of await this.#cells(column)) {
        const keyId = keyIdOf(text)
        if (keyId !== null) this.envelopes.add(text)
        if (keyId !== null) keyIds.add(keyId)
        this.#see(`${column.model}.${column.field} of ${id}`, writer, keyId, startUs)
      }
    this.present.push({ startUs, keyIds: [...keyIds] })
    const [head] = await this.#query(
      `SELECT active_key_id AS "keyId" FROM rowseal_keyrings WHERE name = 'default'`,
    )
    const keyId = Number(head.keyId)
    if (this.heads.at(-1)?.keyId !== keyId) this.heads.push({ keyId, us: nowUs() })
    this.looks++
  }

  #see(cell: string, writer: string, keyId: number | null, us: number): void {
    const seen = `${writer} ${String(keyId)}`
    if (this.#last.get(cell) === seen) return
    this.#last.set(cell, seen)
    if (keyId !== null) this.sightings.push({ cell, writer, keyId, us })
  }

  #cells(column: SealedColumn): Promise<any[]> {
    return this.#query(
      `SELECT id, writer, ${textOf(column, this.#provider)} AS text FROM "${column.table}" WHERE id < ${this.#records}`,
    )
  }

  #query(sql: string): Promise<any[]> {
    return this.#base.$queryRawUnsafe(quoted(this.#provider, sql))
  }
}

/** SQL for the text of a column. */
export function textOf({ column, field }: SealedColumn, provider: Provider): string {
  if (field !== 'doc') return `"${column}"`
  return provider === 'mysql' ? `JSON_UNQUOTE("${column}")` : `"${column}" #>> '{}'`
}

export const quoted = (provider: Provider, sql: string): string =>
  provider === 'mysql' ? sql.replaceAll('"', '`') : sql

function keyIdOf(text: string | null): number | null {
  const [, hex] = /^rs1\.([0-9a-f]{8})\./.exec(text ?? '') ?? []
  return hex === undefined ? null : parseInt(hex, 16)
}
