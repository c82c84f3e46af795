import { setTimeout as sleep } from 'node:timers/promises'
import { idsOf, type Journal, type Write } from './journal.ts'
import { noteOf, type Note } from './note.ts'
import { oneOf } from './random.ts'

export interface WriterOptions {
  /** A Prisma client: with Rowseal, or without as an old version of the application has it. */
  readonly client: any
  /** What opens what is sealed: an old version reads envelopes. Default: the same. */
  readonly reader?: any
  readonly journal: Journal
  /** Its `Prisma.DbNull`. */
  readonly dbNull: unknown
  /** Rows that nobody else writes to. */
  readonly ids: readonly number[]
  readonly random: () => number
  /** May it look rows up by what they hold? */
  readonly searches: boolean
  /** Milliseconds between writes, at most. */
  readonly restMs: number
  /** Writes are numbered from here on. */
  readonly from: number
}

const SELECT = { id: true, text: true, doc: true, phone: true, login: true }

/** Part of the application: writes to its rows, one write after the other, and reads what it wrote. */
export class Writer {
  readonly #options: WriterOptions
  #n: number
  #isStopped = false
  readonly #ended: Promise<void>
  /** Codes of what was refused, each once. */
  readonly refused = new Set<string>()

  constructor(options: WriterOptions) {
    this.#options = options
    this.#n = options.from
    this.#ended = this.#run()
    // Thrown again by `stop`.
    this.#ended.catch(() => undefined)
  }

  /** After the write in hand. @throws what it has seen that must not be. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#ended
  }

  async #run(): Promise<void> {
    const { journal, ids, random, restMs, searches } = this.#options
    while (!this.#isStopped) {
      const write = this.#next()
      journal.note({ at: 'sent', write })
      try {
        await this.#send(write)
        journal.note({ at: 'acknowledged', write })
      } catch (error) {
        this.#refused(error)
        journal.note({ at: 'failed', write })
      }
      for (const id of idsOf(write)) if (journal.get(id) === undefined) await this.read(id)
      if (random() < 0.3) await this.read(oneOf(random, ids))
      if (searches && random() < 0.3) await this.#search(oneOf(random, ids))
      await sleep(random() * restMs)
    }
  }

  #next(): Write {
    const { journal, ids, random } = this.#options
    const id = oneOf(random, ids)
    const note = noteOf(id, ++this.#n)
    const isThere = (one: number): boolean => journal.get(one) !== null
    if (!isThere(id)) return { kind: 'create', note }
    const dice = random()
    if (dice < 0.12) return { kind: 'delete', id }
    if (dice > 0.3) return { kind: 'update', note }
    const many = ids.filter((one) => one === id || (isThere(one) && random() < 0.3))
    return { kind: 'updateMany', ids: many, text: `many ${this.#n} of ${id}` }
  }

  async #send(write: Write): Promise<void> {
    const { note } = this.#options.client
    if (write.kind === 'updateMany') {
      const { ids, text } = write
      const { count } = await note.updateMany({
        where: { id: { in: ids } },
        data: { text, phone: null },
      })
      if (count !== ids.length) throw new Error(`${count} of ${ids.length} rows were there.`)
    } else if (write.kind === 'delete') await note.delete({ where: { id: write.id } })
    else {
      const { id, doc, ...values } = write.note
      const data = { ...values, doc: doc ?? this.#options.dbNull }
      if (write.kind === 'create') await note.create({ data: { id, ...data } })
      else await note.update({ where: { id }, data })
    }
  }

  /** @throws if the row holds what it cannot. */
  async read(id: number): Promise<void> {
    const { client, reader = client, journal } = this.#options
    const note = await this.#again<Note | null>(() =>
      reader.note.findUnique({ where: { id }, select: SELECT }),
    )
    journal.note({ at: 'read', id, note })
  }

  /** A row is found by what it holds, and no other. */
  async #search(id: number): Promise<void> {
    const { client, journal } = this.#options
    const { phone = null, login = null } = journal.get(id) ?? {}
    for (const where of [{ phone }, { login }]) {
      if (Object.values(where)[0] === null) continue
      const found = await this.#again<Note[]>(() =>
        client.note.findMany({ where, select: { id: true } }),
      )
      const ids = found.map((note) => note.id).join()
      if (ids !== String(id)) throw new Error(`Row ${id} was looked for, and found was: ${ids}.`)
    }
  }

  async #again<T>(operation: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await operation()
      } catch (error) {
        this.#refused(error)
        await sleep(20)
      }
    }
  }

  /** An application sends again what may be sent again; anything else is a fault. */
  #refused(error: unknown): void {
    const { code, retryable } = Object(error) as { code?: string; retryable?: boolean }
    if (retryable !== true && code !== 'P2034') throw error
    this.refused.add(String(code))
  }
}
