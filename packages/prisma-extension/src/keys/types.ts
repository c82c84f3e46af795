import type { KeyObject } from 'node:crypto'

/** 0x01: DEK wrapped by the KEK. 0x02: DEK wrapped by the KMS. */
export type Suite = 0x01 | 0x02

/** A wrapped DEK as it stands in an envelope. */
export interface WrappedDek {
  readonly keyId: number
  readonly suite: Suite
  readonly wrapped: Uint8Array
}

/** A fresh DEK: seals the fields of one record (suite 0x02: of several, if the keyring says so), and nothing after. */
export interface Dek extends WrappedDek {
  readonly key: KeyObject
}

export type KeyState =
  'pre-activation' | 'active' | 'suspended' | 'deactivated' | 'compromised' | 'destroyed'

/** What a key is bound to while it is wrapped. */
export interface WrapContext {
  readonly keyring: string
  /** 0 for a key that belongs to no version: the MAC key. */
  readonly keyId: number
  /** `kek`: of a key version. `dek`: of a record, suite 0x02. `mac`: authenticates the key store. */
  readonly use: 'kek' | 'dek' | 'mac'
}

/** A 256-bit key as a root key wrapped it. */
export interface WrappedKey {
  readonly wrapped: Uint8Array
  /** The resolved id of the root key, such as a key ARN; never an alias. */
  readonly rootKeyId: string
}

/** What a provider says of one of its root keys. */
export interface RootKeyInfo {
  readonly rootKeyId: string
  readonly state: 'enabled' | 'disabled' | 'pending-deletion' | 'unavailable'
  /** Null if keys of this provider are in no region. */
  readonly region: string | null
  /** When the provider will delete it; null if it will not. */
  readonly deletionAt: Date | null
  /** Rotation by the provider itself; null if it has none for this key. */
  readonly rotation: {
    readonly isAutomatic: boolean
    readonly periodDays: number | null
    readonly nextAt: Date | null
    readonly lastAt: Date | null
  } | null
}

/**
 * A key in a KMS, an HSM or this process that never leaves it. Errors are `KeyError`s: a retryable one
 * is an outage, during which keys in memory may go on serving; any other is a denial, which ends their
 * use. What is no `KeyError` becomes the cause of an `ERR_KEY_UNAVAILABLE`, so its text must hold no key
 * material.
 */
export interface RootKey {
  /** Short name of the kind for messages, such as `local`. */
  readonly provider: string
  /** Make a new 256-bit key and wrap it. The caller zeroes `key`. */
  create(context: WrapContext): Promise<WrappedKey & { readonly key: Buffer }>
  /** Unwrap a key. The caller zeroes the result. */
  unwrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<Buffer>
  /** Wrap the same key under the root key that `create` takes now. A KMS does so without giving it out. */
  rewrap(wrapped: Uint8Array, rootKeyId: string, context: WrapContext): Promise<WrappedKey>
  /**
   * As `rewrap`, for another key version: bound to the second context afterwards. Absent if the provider
   * cannot; then DEKs of suite 0x02 stay under the key version that they were made for.
   */
  rebind?(
    wrapped: Uint8Array,
    rootKeyId: string,
    from: WrapContext,
    to: WrapContext,
  ): Promise<WrappedKey>
  /** The root key that `create` takes now, or the one with that id. */
  describe(rootKeyId?: string): Promise<RootKeyInfo>
  /** Every region that calls may go to; none for keys that are in no region. Makes no call. */
  regions(): Promise<readonly string[]>
  /** The region of a root key by its id; null if it is in none. */
  regionOf(rootKeyId: string): string | null
  /** Let the provider rotate its key: automatically from now on, or once, now. Absent if it cannot. */
  rotate?(how: { readonly automaticDays: number } | 'now'): Promise<RootKeyInfo>
}

/** One key version as it is stored. */
export interface KeyRow {
  readonly keyId: number
  readonly keyring: string
  /** 1, 2, … within the keyring. */
  readonly version: number
  readonly state: KeyState
  readonly suite: Suite
  readonly rootKeyId: string
  /** Empty once destroyed. */
  readonly wrappedKek: Uint8Array
  /** HMAC-SHA-256 under the KEK of a fixed label, key id and keyring. */
  readonly checkValue: Uint8Array
  readonly createdAt: Date
  /** When it first became `active`, null before. */
  readonly activatedAt: Date | null
  /** When it left `active`, null before and while it is active again. */
  readonly suspendedAt: Date | null
  /** When it was found to have leaked, null if it was not. Stays once destroyed. */
  readonly compromisedAt: Date | null
  /** Set while destruction is under way: nothing is opened, and from then on the KEK may be deleted. */
  readonly destroyAt: Date | null
  /** When it came into its state. */
  readonly stateAt: Date
  /** Key ids whose wrapped DEKs were moved to this version as they are: a leak of theirs is one of this. */
  readonly rewrappedFrom: readonly number[]
  /** DEKs that instances may have wrapped under it: reserved ahead in blocks. Not authenticated. */
  readonly uses: number
}

/** What binds the rows of a keyring together. */
export interface KeyringHead {
  readonly keyring: string
  /** The version that seals; one in state `deactivated` if the keyring is closed. */
  readonly activeKeyId: number
  /** From 1. Counts every change; the compare-and-set is on this. */
  readonly revision: number
  /** The blind indexes of an index keyring; empty for a keyring of KEKs. */
  readonly indexes: readonly IndexRecord[]
  /** SHA-256 of every key version's row but its uses, in hex, by key id in ascending order. */
  readonly digests: readonly (readonly [keyId: number, digest: string])[]
  /** The key of the MAC, wrapped by the root key. */
  readonly macKey: WrappedKey
  /** HMAC-SHA-256 over all of the above. */
  readonly mac: Uint8Array
}

/** A column that holds an index, where an index has two: the first, or the one with `slot: 2`. */
export type IndexSlot = 1 | 2

/** How far one blind index is, as all instances follow it. */
export interface IndexRecord {
  /** Id of the first slot: `Model.column` unless the annotation says otherwise. */
  readonly id: string
  /** Names of the normalizers its values were made with, in their order. */
  readonly normalize: readonly string[]
  readonly isUnique: boolean
  /** Has every row its value? Only then may it be searched. */
  readonly complete: boolean
  /** The slot that look-ups use. */
  readonly lookup: IndexSlot
  /** Slots that writes fill, all others becoming NULL; `none` refuses writes to the field. */
  readonly writes: 'lookup' | 'both' | 'none'
  /** Key id of each slot of a unique index; `[null, null]` for any other. */
  readonly keys: readonly [number | null, number | null]
}

/** Everything the store holds for one keyring, read at one moment. */
export interface KeyringSnapshot {
  readonly head: KeyringHead
  readonly keys: readonly KeyRow[]
}

/** A key version as it will be. */
export interface RowWrite {
  /** State it must be in; null for a new one. */
  readonly from: KeyState | null
  readonly row: KeyRow
}

/** A change of a keyring, made whole or not at all. */
export interface KeyringWrite {
  readonly keyring: string
  /** 0 if the keyring must not exist yet. */
  readonly expectedRevision: number
  /** The active key id that the head must name; null if the keyring must not exist yet. */
  readonly formerKeyId: number | null
  /** Whole, as it will be; its revision is one more. */
  readonly head: KeyringHead
  /** Key versions that are new or change, each whole; their `uses` are not written. */
  readonly rows: readonly RowWrite[]
}

/**
 * An interactive transaction the caller is in. A store on the same client must read through it:
 * any other connection may wait for this transaction to end.
 */
export interface Via {
  readonly client: object
  /** Prisma's `__internalParams.transaction`, opaque here. */
  readonly transaction: unknown
}

/**
 * Where wrapped KEKs live. Implementations hold no keys in the clear and never retry. A write that
 * returns false changed nothing: somebody else was there, or is there now. Read again, then decide.
 */
export interface KeyStore {
  /** What messages call it, after "the": `SQL key store (postgresql)`. */
  readonly name: string
  /** Does a write wait, and the whole process with it, for any transaction that writes? As SQLite's does. */
  readonly isSingleWriter?: boolean
  /** Create what the store needs, if it is not there. Idempotent. */
  init(): Promise<void>
  /** The statements `init` would run, for people to read; empty if there are none. */
  ddl(): readonly string[]
  /**
   * Head and key versions of a keyring, or `null` if `init` was not run or the keyring has none.
   *
   * @param isCurrent - also what was committed since the transaction of `via` began, at the price of locks until
   *   that ends: for a key id that is not known otherwise.
   * @throws {KeyError} `ERR_STORE_NEWER`, `ERR_KEY_UNAVAILABLE` (retryable)
   */
  read(keyring: string, via?: Via, isCurrent?: boolean): Promise<KeyringSnapshot | null>
  /** Which keyring a key id belongs to; null if no keyring of this store has it. */
  keyringOf(keyId: number, via?: Via): Promise<string | null>
  /** The lowest key id never used in this store. A hint: `write` decides. */
  nextKeyId(): Promise<number>
  /** Names of the keyrings that begin with this, in their order. */
  keyrings(prefix: string): Promise<readonly string[]>
  /**
   * Compare-and-set on the head's revision. False if the revision, the active key id or a key's state was
   * another one, or if a new key's id or version is taken.
   *
   * @throws {KeyError} `ERR_KEY_STATE` if a transition is not legal: every store calls `assertLegal`.
   */
  write(change: KeyringWrite): Promise<boolean>
  /**
   * Add to the uses of a key, unless they would then be more than `limit`. Durable when it returns.
   *
   * @returns false if they would be, or there is no such key.
   */
  reserve(keyId: number, count: number, limit: number, via?: Via): Promise<boolean>
}
