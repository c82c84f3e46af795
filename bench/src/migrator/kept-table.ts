import type { Held } from './ceiling.ts'
import { ANALYZE, quoted } from './sql.ts'
import type { Provider } from './world.ts'

/** The table `Note`, which can be put back to what it held. */
export class KeptTable {
  readonly #provider: Provider
  readonly #client: any
  readonly #exec: (sql: string) => Promise<void>

  constructor(provider: Provider, client: any, exec: (sql: string) => Promise<void>) {
    this.#provider = provider
    this.#client = client
    this.#exec = exec
  }

  /** @param name - what was kept under it is replaced. */
  async keep(name: string): Promise<void> {
    await this.#exec(`DROP TABLE IF EXISTS ${this.#quoted(name)}`)
    await this.#exec(`CREATE TABLE ${this.#quoted(name)} AS SELECT * FROM ${this.#quoted('Note')}`)
  }

  async putBack(name: string): Promise<void> {
    const note = this.#quoted('Note')
    await this.#exec(`${this.#provider === 'sqlite' ? 'DELETE FROM' : 'TRUNCATE TABLE'} ${note}`)
    await this.#exec(`INSERT INTO ${note} SELECT * FROM ${this.#quoted(name)} ORDER BY id`)
    await this.#exec(`${ANALYZE[this.#provider]} ${note}`)
  }

  /** What it holds now, by id. */
  async held(): Promise<ReadonlyMap<number, Held>> {
    const rows: any[] = await this.#client.note.findMany()
    return new Map(rows.map(({ id, title, titleIndex, text }) => [id, [title, titleIndex, text]]))
  }

  #quoted(name: string): string {
    return quoted(this.#provider, name)
  }
}
