import type { FieldKeyring, IndexView } from '../keys/index.ts'
import type { Via } from '../keys/types.ts'
import type { IndexPlan } from './compile.ts'

/** Thrown by a walk that needs the index keys of a keyring that are not in memory: load them, walk again. */
export class ViewPending extends Error {
  readonly keyring: FieldKeyring
  readonly view: Promise<IndexView>

  constructor(keyring: FieldKeyring, view: Promise<IndexView>) {
    super('index keys are being read')
    this.keyring = keyring
    this.view = view
  }
}

/**
 * What one operation knows of blind indexes: one view of each keyring, so that all its clauses and values
 * are of the same moment. Asked for only where a clause or a value needs it: an operation without equality
 * search goes on while the key store is out of reach.
 */
export class IndexViews {
  readonly #via: Via | undefined
  #views: Map<FieldKeyring, IndexView> | null = null

  constructor(via?: Via) {
    this.#via = via
  }

  /** @throws {ViewPending} if it must be read first. */
  of(keyring: FieldKeyring): IndexView {
    const known = this.#views?.get(keyring)
    if (known !== undefined) return known
    const view = keyring.index.view(this.#via)
    if (view instanceof Promise) throw new ViewPending(keyring, view)
    return this.#keep(keyring, view)
  }

  /** Is a unique index between its columns, as far as this operation knows? */
  writesBoth({ id, field }: IndexPlan): boolean {
    return this.#views?.get(field.keyring)?.record(id)?.writes === 'both'
  }

  /** May what was written by them still go out? Sealing comes between, and may wait for a root key. */
  areFresh(): boolean {
    return this.#views === null || [...this.#views.values()].every((view) => view.isFresh())
  }

  /**
   * Run a walk, again each time it lacked a view. Walks are pure: they may begin anew. Synchronous when
   * nothing is missing, so that Prisma's batching of look-ups survives.
   */
  complete<T>(walk: () => T): T | Promise<T> {
    try {
      return walk()
    } catch (error) {
      if (!(error instanceof ViewPending)) throw error
      return this.#fetch(error).then(() => this.complete(walk))
    }
  }

  async #fetch({ keyring, view }: ViewPending): Promise<void> {
    this.#keep(keyring, await view)
  }

  #keep(keyring: FieldKeyring, view: IndexView): IndexView {
    this.#views ??= new Map()
    this.#views.set(keyring, view)
    return view
  }
}
