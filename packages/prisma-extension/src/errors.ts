/** Where an error happened and what to do about it. Never holds plaintext, keys or ciphertext. */
export interface ErrorDetails {
  /** What to do, as an imperative sentence with the user's own names filled in. */
  readonly fix: string
  /** `Model.field` the error is about. */
  readonly field?: string
  /** True if the same call may succeed later without anyone acting. Default false. */
  readonly retryable?: boolean
  /** The error of a lower layer. Only where its text is known to hold no values. */
  readonly cause?: unknown
}

/** What every error of Rowseal has in common. The class says who must act, the code what happened. */
export abstract class RowsealError<Code extends string = string> extends Error {
  readonly code: Code
  readonly fix: string
  readonly field: string | undefined
  readonly retryable: boolean

  constructor(code: Code, message: string, details: ErrorDetails) {
    super(
      `${message} ${details.fix}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.name = new.target.name
    this.code = code
    this.fix = details.fix
    this.field = details.field
    this.retryable = details.retryable ?? false
  }
}

export type SchemaErrorCode =
  | 'ERR_ANNOTATION_INVALID' // misspelt, misplaced or impossible annotation
  | 'ERR_FIELD_UNSUPPORTED' // the field's type, attribute or column cannot hold sealed values
  | 'ERR_PLAN_FORMAT' // the plan was written by another version of the generator
  | 'ERR_PLAN_STALE' // the plan does not belong to the schema the client was generated from
  | 'ERR_EXTENSION_ORDER' // Rowseal applied twice, or on the wrong side of another extension

/** Someone must change the schema, generate again, or extend the client otherwise. */
export class SchemaError extends RowsealError<SchemaErrorCode> {}

export type QueryErrorCode =
  | 'ERR_QUERY_UNSUPPORTED' // the clause would work on ciphertext
  | 'ERR_RECORD_BINDING' // what a sealed value is bound to is not known, or would change without it
  | 'ERR_SQL_MODE' // the connection would have MySQL cut off what is too long
  | 'ERR_VALUE_CUT_OFF' // MySQL would cut a sealed value off, and say nothing
  | 'ERR_VALUE_INVALID' // a value given for a sealed field is not of the field's type

/** The application's developer must change a query. Nothing was sent to the database. */
export class QueryError extends RowsealError<QueryErrorCode> {}

export type KeyErrorCode =
  | 'ERR_KEY_UNAVAILABLE' // key store or root key out of reach; retryable
  | 'ERR_KEY_UNKNOWN' // the key store has no such key id
  | 'ERR_KEY_STATE' // the key's state does not permit this
  | 'ERR_KEY_MISMATCH' // the key store's row does not fit the key: wrong root key, swapped or edited row
  | 'ERR_ROOT_KEY_INVALID' // no root key, or one that is malformed or readable by others
  | 'ERR_KEY_EXHAUSTED' // the KEK wrapped as many DEKs as it may
  | 'ERR_ROOT_KEY_THROTTLED' // the KMS answers too many calls; retryable
  | 'ERR_ROOT_KEY_DENIED' // the KMS does not let this caller use the root key
  | 'ERR_ROOT_KEY_DISABLED' // the root key is disabled
  | 'ERR_ROOT_KEY_DELETION' // the root key is scheduled for deletion
  | 'ERR_ROOT_KEY_UNKNOWN' // the KMS has no such key
  | 'ERR_ROOT_KEY_REGION' // the root key is in a region the keyring does not allow
  | 'ERR_STORE_TAMPERED' // the key store is not as an authorised writer left it, or was put back to an older state
  | 'ERR_TENANT' // no tenant was given, or a value is another tenant's
  | 'ERR_KEYRING_MISSING' // `rowseal init` has not been run for this keyring
  | 'ERR_KEYRING_CONFLICT' // somebody else changed the keyring at the same time
  | 'ERR_INDEX_STATE' // a blind index is not registered, or is in a phase that does not permit this
  | 'ERR_STORE_UNSAFE' // the key store is where it could be lost, or changed by others
  | 'ERR_STORE_NEWER' // the key store was written by a newer version of Rowseal

/** The operator must act on keys, the key store or the KMS. */
export class KeyError extends RowsealError<KeyErrorCode> {}

export type EnvelopeErrorCode =
  | 'ERR_ENVELOPE_MALFORMED' // starts like an envelope and is broken
  | 'ERR_ENVELOPE_AUTH' // tag, AAD and wrong key look alike on purpose
  | 'ERR_PLAINTEXT_REFUSED' // a stored value is no envelope and the field does not allow plaintext

/** The owner of the data must look at a stored value. */
export class EnvelopeError extends RowsealError<EnvelopeErrorCode> {}
