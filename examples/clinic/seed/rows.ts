import type { Prisma } from '#generated/prisma/client.ts'
import { createRandom, type Random } from './random.ts'
import { control, sentinel } from './sentinels.ts'
import {
  address,
  answers,
  bytes,
  contact,
  date,
  insuranceNumber,
  JPEG,
  note,
  person,
  phone,
  PNG,
  report,
  uuid7,
} from './values.ts'
import { DIAGNOSES } from './words.ts'

/**
 * The rows of the clinic, table by table, in the order of their keys. Each row depends only on its
 * place, so that nothing needs to be kept. Some columns stay empty, as in life.
 */

const SEED = 20_260_105
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const OPENED = Date.UTC(2019, 0, 7, 8)
const STAFF = 60
/** How often patients were here, by their place. */
const VISITS = [1, 0, 2, 0, 1, 3, 1, 0]

/** The number of the patient at place 0. */
export const FIRST_NUMBER = 100_001
/** The row of each table, by place, whose sealed fields hold sentinels. */
export const SENTINEL_PLACE = 6

export function* staff(): Generator<Prisma.StaffCreateManyInput> {
  for (let place = 0; place < STAFF; place++) {
    const random = at('Staff', place)
    const marked = place === SENTINEL_PLACE
    yield {
      name: marked ? control('Staff.name') : person(random),
      role: random.pick(['PHYSICIAN', 'NURSE', 'NURSE', 'THERAPIST', 'RECEPTION']),
      email: `staff${place + 1}@clinic.example`,
      homeAddress: marked
        ? sentinel('Staff.homeAddress')
        : random.chance(0.8)
          ? address(random)
          : null,
      createdAt: new Date(OPENED + place * DAY_MS),
    }
  }
}

export function* patients(count: number): Generator<Prisma.PatientCreateManyInput> {
  for (let place = 0; place < count; place++) {
    const random = at('Patient', place)
    const marked = place === SENTINEL_PLACE
    yield {
      id: patientId(place),
      number: FIRST_NUMBER + place,
      name: marked ? sentinel('Patient.name') : person(random),
      birthDate: marked ? sentinel('Patient.birthDate') : date(random, 1931, 2025),
      insuranceNumber: marked ? sentinel('Patient.insuranceNumber') : insuranceNumber(random),
      phone: marked ? sentinel('Patient.phone') : random.chance(0.9) ? phone(random) : null,
      contact: marked
        ? { address: sentinel('Patient.contact'), [sentinel('Patient.contact')]: true }
        : contact(random),
      createdAt: registeredAt(place),
    }
  }
}

export function* encounters(patients: number): Generator<Prisma.EncounterCreateManyInput> {
  for (let place = 0; place < patients; place++) {
    const random = at('Encounter', place)
    const marked = place === SENTINEL_PLACE
    for (let visit = 0; visit < VISITS[place % VISITS.length]!; visit++)
      yield {
        patientId: patientId(place),
        staffId: random.int(1, STAFF),
        kind: random.pick(['VISIT', 'VISIT', 'PHONE', 'EMERGENCY', 'FOLLOW_UP']),
        startedAt: new Date(registeredAt(place).getTime() + visit * random.int(3, 90) * DAY_MS),
        diagnosis: marked ? sentinel('Encounter.diagnosis') : random.pick(DIAGNOSES),
        notes: marked ? sentinel('Encounter.notes') : random.chance(0.9) ? note(random) : null,
      }
  }
}

/** Every eighth patient has one. */
export function* documents(patients: number): Generator<Prisma.DocumentCreateManyInput> {
  for (let place = SENTINEL_PLACE; place < patients; place += 8) {
    const random = at('Document', place)
    const marked = place === SENTINEL_PLACE
    const isPhoto = random.chance(0.5)
    yield {
      id: uuid7(registeredAt(place), random),
      patientId: patientId(place),
      mediaType: isPhoto ? 'image/jpeg' : 'text/plain',
      title: marked
        ? sentinel('Document.title')
        : `${isPhoto ? 'Photograph' : 'Laboratory report'}, ${date(random, 2019, 2025)}`,
      content: marked
        ? bytes(random.bytes(31), sentinel('Document.content'), random.bytes(400))
        : isPhoto
          ? bytes(JPEG, random.bytes(random.int(200, 900)))
          : bytes(report(random)),
      createdAt: registeredAt(place),
    }
  }
}

/** Every second patient has one. */
export function* forms(patients: number): Generator<Prisma.IntakeFormCreateManyInput> {
  for (let place = 0; place < patients; place += 2) {
    const random = at('IntakeForm', place)
    const marked = place === SENTINEL_PLACE
    yield {
      patientId: patientId(place),
      version: 1,
      reviewedBy: random.chance(0.7) ? random.int(1, STAFF) : null,
      answers: marked ? [{ deep: [sentinel('IntakeForm.answers')] }] : answers(random),
      signature: marked
        ? bytes(PNG, random.bytes(2), sentinel('IntakeForm.signature'))
        : random.chance(0.2)
          ? bytes(PNG, random.bytes(random.int(80, 240)))
          : null,
      signedAt: registeredAt(place),
    }
  }
}

function at(table: string, place: number): Random {
  let hash = SEED
  for (const char of `${table} ${place}`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return createRandom(hash)
}

function patientId(place: number): string {
  return uuid7(registeredAt(place), at('Patient.id', place))
}

function registeredAt(place: number): Date {
  return new Date(OPENED + place * HOUR_MS)
}
