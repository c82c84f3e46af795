import { beforeAll, expect } from 'vitest'
import { CLINIC, planOf } from './clinic.ts'
import { walksOf, type Walks } from './walks.ts'

/** Walks over arguments of the clinic, whose keyring is opened before the tests of the file that calls this. */
export function atClinic() {
  let walks: Walks
  beforeAll(async () => {
    walks = await walksOf(planOf(CLINIC))
  })
  const collect: Walks['collect'] = (...given) => walks.collect(...given)
  const hash: Walks['hash'] = (...given) => walks.hash(...given)
  const sent = (operation: string, args: object, model = 'Patient'): any =>
    walks.sent(model, operation, args)
  return {
    /** The walks themselves, once a test runs. */
    walks: () => walks,
    collect,
    hash,
    /** The arguments as they would be sent, and the data of a create and of an update. */
    sent,
    created: (data: unknown): unknown => sent('create', { data }).data,
    updated: (data: unknown): unknown => sent('update', { where: { id: 1 }, data }).data,
    /** What a `where` becomes. */
    where: (given: unknown, operation = 'findMany', model = 'Patient'): unknown =>
      collect(model, operation, { where: given }).args['where'],
    /** What a text stands as in the index of a field; `folded` in the one of phones without case. */
    phone: (text: string) => hash('Patient.phoneIndex', text),
    folded: (text: string) => hash('Patient.phoneLower', text, ['lowercase']),
    email: (text: string) => hash('Patient.emailIndex', text),
    code: (text: string) => hash('Patient.codeIndex', text),
  }
}

/** The error of a query that cannot be answered. */
export const unsupported = (field?: string): unknown =>
  expect.objectContaining({ code: 'ERR_QUERY_UNSUPPORTED', field, fix: expect.any(String) })

/** The error of a value that is none of its field's type. */
export const invalid = (field: string): unknown =>
  expect.objectContaining({ code: 'ERR_VALUE_INVALID', field, fix: expect.any(String) })
