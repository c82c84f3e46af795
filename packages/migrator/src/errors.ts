import { RowsealError, type ErrorDetails } from '@rowseal/prisma-extension'

export type MigrationErrorCode =
  | 'ERR_RUN_STATE' // another run writes to the same model, or has taken it over
  | 'ERR_RUN_TABLES' // `rowseal init` has not been run on this database
  | 'ERR_CHECKPOINT_NEWER' // a newer version of Rowseal left the checkpoint
  | 'ERR_CHECKPOINT_PLAN' // the run that is to be gone on with was begun under another plan
  | 'ERR_PLAN_DATABASE' // the database does not have what the plan says, or a table has no key
  | 'ERR_DATABASE_BUSY' // SQLite was locked by another process
  | 'ERR_DATABASE_FAILED' // the database refused a statement, or is out of reach
  | 'ERR_INDEX_OFFLINE' // a unique index without a second column is under a former index key
  | 'ERR_KEY_IN_USE' // values name a key that is to be retired
  | 'ERR_FIELD_MISSING' // a column that held values under keys is gone, and nobody said so
  | 'ERR_KEYRING_LOST' // the database holds sealed values and the key store has no keyring
  | 'ERR_REWRAP_REFUSED' // values can only be re-encrypted, not re-wrapped
  | 'ERR_PROOF_FAILED' // what was to be written does not open to what was read, or was changed on its way
  | 'ERR_SEAL_ON' // a field that is to be decrypted is still sealed when it is written
  | 'ERR_QUEUE_UNAVAILABLE' // the queue that hands parts of runs to workers is out of reach; retryable
  | 'ERR_THREAD_FAILED' // a thread that does cryptography ended; retryable
  | 'ERR_CONFIG_INVALID' // no configuration, or one that lacks something

/** The operator must act on a run, its configuration or the database. */
export class MigrationError extends RowsealError<MigrationErrorCode> {
  /** `ERR_KEY_IN_USE`: rows with a value under the key, by `Model.field`. */
  readonly counts: Readonly<Record<string, number>> | undefined

  constructor(
    code: MigrationErrorCode,
    message: string,
    details: ErrorDetails & { readonly counts?: Readonly<Record<string, number>> },
  ) {
    super(code, message, details)
    this.counts = details.counts
  }
}
