import type { Context } from '../config.ts'

/** Values of a field under a key that its keyring does not have. */
export interface UnknownValues {
  /** `Model.field`. */
  readonly field: string
  readonly keyId: number
  /** Another keyring of the configuration, which has the key; null if none has it. */
  readonly keyring: string | null
  readonly count: number
}

/** What tables hold under keys that are not of the field's keyring. @param models - values by key, as counted. */
export function unknownOf(
  { keyrings }: Pick<Context, 'keyrings'>,
  models: readonly {
    readonly model: string
    readonly fields: readonly {
      readonly field: string
      readonly versions: readonly {
        readonly keyId: number
        readonly version: number | null
        readonly count: number
      }[]
    }[]
  }[],
): UnknownValues[] {
  const holder = (keyId: number): string | null =>
    [...keyrings.values()].find((keyring) => keyring.keys().some((row) => row.keyId === keyId))
      ?.name ?? null
  return models.flatMap(({ model, fields }) =>
    fields.flatMap(({ field, versions }) =>
      versions
        .filter(({ version }) => version === null)
        .map(({ keyId, count }) => {
          return { field: `${model}.${field}`, keyId, keyring: holder(keyId), count }
        }),
    ),
  )
}
