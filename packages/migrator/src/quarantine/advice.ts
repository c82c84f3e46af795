const REWRITE = 'Restore the value from a backup, or write it again.'
const TRIGGERED = 'Look what a trigger on the table writes.'

/** What somebody has to do about a value, by the code that it was recorded with. docs/errors.md says more. */
export const ADVICE: Readonly<Record<string, string>> = {
  ERR_ENVELOPE_MALFORMED: REWRITE,
  ERR_ENVELOPE_AUTH:
    'After renaming a field or its model give the former name: @encrypted(id: "Model.field"). Otherwise restore the value from a backup, or write it again.',
  ERR_PLAINTEXT_REFUSED: 'Write the value again through the extension.',
  ERR_KEY_UNKNOWN: 'Connect to the key store that has its key.',
  ERR_KEY_STATE:
    'Its key does not open any more (npx rowseal keys list). Cancel its destruction, or restore or rewrite the value.',
  ERR_TENANT: 'Look whose value it is, and restore it from a backup.',
  ERR_VALUE_INVALID: 'Write another value, or look what a trigger makes of it.',
  ERR_RECORD_BINDING: 'Give the column that the field is bound to a value.',
  ERR_INDEX_MISSING: 'npx rowseal reindex',
  ERR_INDEX_MISMATCH: 'npx rowseal reindex --check-values',
  ERR_INDEX_LEFT: 'npx rowseal reindex',
  ERR_INDEX_DUPLICATE: 'Change or remove one of the two records.',
  ERR_VALUE_TOO_LONG: 'Widen the column, or drop an index over it.',
  ERR_UNIQUE_VIOLATION: 'Change one of the two values, or drop the index.',
  ERR_CHECK_VIOLATION: 'Change the value, or have the constraint let envelopes through.',
  ERR_NOT_NULL_VIOLATION: TRIGGERED,
  ERR_FOREIGN_KEY_VIOLATION: TRIGGERED,
  ERR_EXCLUSION_VIOLATION: 'Change the value, or the constraint.',
  ERR_TRIGGER_REFUSED: 'Change what the trigger objects to, or have it let the run through.',
}

export function adviceOn(code: string): string {
  return ADVICE[code] ?? 'See docs/errors.md.'
}
