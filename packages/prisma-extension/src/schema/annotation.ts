/** What `@encrypted` says about a field. Defaults are filled in; `id` is null where it was not given. */
export interface EncryptedOptions {
  readonly plaintext: 'refuse' | 'allow'
  readonly seal: 'on' | 'off'
  readonly keyring: string
  readonly pad: number
  readonly id: string | null
  readonly bind: readonly string[]
}

export interface Encrypted extends EncryptedOptions {
  readonly kind: 'encrypted'
}

/** What `@blindIndex`, and its alias `@encryption:hash`, says about a column. */
export interface BlindIndexAnnotation {
  readonly kind: 'blindIndex'
  readonly field: string
  /** As written: the generator knows which there are. */
  readonly normalize: readonly string[]
  readonly slot: 1 | 2
  readonly id: string | null
}

export type Annotation = Encrypted | BlindIndexAnnotation

/** Why a text is no annotation although it was meant as one, and what to write instead. */
export interface Mistake {
  readonly what: string
  readonly fix: string
}

export type Reading =
  | { readonly ok: true; readonly annotation: Annotation }
  | { readonly ok: false; readonly mistake: Mistake }
