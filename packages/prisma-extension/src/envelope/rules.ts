import { EnvelopeError } from '../errors.ts'

/** Rules of docs/spec/envelope-v1.md, "What a reader MUST reject", that are broken in the envelope itself. */
export const RULES = {
  'key-id': 'its key id is not 8 lowercase hex digits',
  separator: 'no full stop follows its key id',
  'base64-length': 'its base64url text has an impossible length',
  'base64-padding': 'its base64url text is padded with "="',
  'base64-alphabet': 'its base64url text has a character that is not in the alphabet',
  'base64-spare-bits': 'its base64url text does not end in zero bits',
  truncated: 'it is cut short',
  suite: 'its suite is unknown',
  'kms-length': 'its wrapped key has an impossible length',
  size: 'it is larger than 16 MiB of value',
  codec: 'its codec is unknown',
  'codec-type': 'it holds a value of another type than the field has',
  'utf-8': 'its text is not UTF-8',
  json: 'its text is not JSON',
  'pad-length': 'its padding does not fit its length',
  'pad-zeros': 'its padding is not zeros',
} as const

export type Rule = keyof typeof RULES

/** The error for a value that starts like an envelope and breaks a rule of the format. */
export function malformed(rule: Rule, field: string | undefined): EnvelopeError {
  return new EnvelopeError(
    'ERR_ENVELOPE_MALFORMED',
    `${field ?? 'A sealed field'} holds a broken envelope: ${RULES[rule]} (rule "${rule}" of envelope-v1).`,
    {
      ...(field === undefined ? undefined : { field }),
      fix:
        rule === 'codec-type'
          ? 'Give the field back the type it was sealed with.'
          : 'Restore the value from a backup, and find out what wrote or cut it.',
    },
  )
}
