import type { Target } from '../targets.ts'
import type { ValueKeyring } from '../tenants.ts'
import type { StaleKeys } from './reencrypt.ts'

/** Values of a field under a key that was destroyed: they came back from somewhere, and open no more. */
export interface UnreadableValues {
  /** `Model.field`. */
  readonly field: string
  readonly keyring: string
  readonly keyId: number
  readonly count: number
}

/** Stale keys, and those that are destroyed: what is still under one is to be said, not passed over. */
export function withDestroyed(stale: StaleKeys): StaleKeys {
  return new Map(
    [...stale].map(([values, keyIds]) => [
      values,
      new Set([...keyIds, ...destroyedOf(values).map(({ keyId }) => keyId)]),
    ]),
  )
}

/** Is a key of a keyring that seals destroyed? One that was shredded as a whole leaves its values on purpose. */
export function isDestroyed(values: ValueKeyring, keyId: number): boolean {
  return destroyedOf(values).some((row) => row.keyId === keyId)
}

/** The destroyed keys of the keyrings that seal. */
export function destroyedOf(
  values: ValueKeyring,
): readonly { readonly keyring: string; readonly keyId: number }[] {
  return values.open().flatMap((keyring) =>
    keyring
      .keys()
      .filter(({ state }) => state === 'destroyed')
      .map(({ keyId }) => ({ keyring: keyring.name, keyId })),
  )
}

/** What tables hold that does not open any more. @param models - values by key, of those that were counted. */
export function unreadableOf(
  targets: readonly Target[],
  models: readonly {
    readonly model: string
    readonly fields: readonly {
      readonly field: string
      readonly versions: readonly { readonly keyId: number; readonly count: number }[]
    }[]
  }[],
): UnreadableValues[] {
  return models.flatMap(({ model, fields }) =>
    fields.flatMap(({ field: name, versions }) => {
      const target = targets.find((one) => one.model === model)
      const field = target?.fields.find((one) => one.name === name)
      if (field === undefined) return []
      const destroyed = destroyedOf(field.values)
      return versions.flatMap(({ keyId, count }) => {
        const row = destroyed.find((one) => one.keyId === keyId)
        return row === undefined ? [] : [{ field: field.label, ...row, count }]
      })
    }),
  )
}
