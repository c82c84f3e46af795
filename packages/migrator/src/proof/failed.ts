import { MigrationError } from '../errors.ts'

/** @param what - is wrong with a value, which is not shown. */
export function failed(label: string, what: string): MigrationError {
  return new MigrationError(
    'ERR_PROOF_FAILED',
    `What was to be written to ${label} ${what}. The batch was not written.`,
    {
      field: label,
      fix: 'Look for a trigger that changes the column (`--dry-run` lists them), for a column that cuts values off, and for another version of Rowseal among the packages. What was committed before was read again in the same way.',
    },
  )
}
