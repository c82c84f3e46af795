/** Clauses that may be refused, each with the reason why it cannot be answered. What is not here must be. */
export const REFUSABLE = {
  'equality without index': 'two envelopes of one value differ',
  'text search': 'a hash has no parts',
  range: 'a hash has no order',
  reference: 'another column is not sealed under the same key',
  'Json comparison': 'two envelopes of one value differ',
  'Bytes comparison': 'two envelopes of one value differ',
  'list comparison': 'two envelopes of one value differ',
  'insensitive without folded index': 'the index holds hashes of the exact text',
  'null among values': 'a NULL has no hash; plain Prisma refuses it too',
  'not with null and a value': 'one "not" goes to two columns, which De Morgan turns into OR',
  order: 'a hash has no order',
  distinct: 'two envelopes of one value differ',
  'distinct while rotating': 'rows stand under two index keys, so equal values have two hashes',
  'comparisons in a not while rotating':
    'each has several hashes, and Prisma undoes no not in a not',
  by: 'groups would have a hash for their value',
  having: 'it filters groups by a value',
  aggregate: 'a hash has no order',
  'lone surrogate': 'UTF-8 cannot carry it',
  'index column': 'only Rowseal writes and reads it',
  'unknown name': 'it may be a misspelt sealed field',
  'wrong type': 'it cannot be sealed as what it is',
  'undefined in Json': 'a strict client refuses it too',
  'several bytes pushed': 'Prisma stores their base64 text',
} as const satisfies Readonly<Record<string, string>>

export type Refusable = keyof typeof REFUSABLE
