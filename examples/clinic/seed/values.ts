import type { Random } from './random.ts'
import * as words from './words.ts'

export const JPEG = Buffer.from('ffd8ffe000104a46494600010100', 'hex')
export const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

export function person(random: Random): string {
  const double = random.chance(0.08) ? `-${random.pick(words.LAST_NAMES)}` : ''
  return `${random.pick(words.FIRST_NAMES)} ${random.pick(words.LAST_NAMES)}${double}`
}

/** A day from the start of one year to the end of another, as `1984-02-29`. */
export function date(random: Random, from: number, to: number): string {
  return new Date(random.int(Date.UTC(from, 0, 1), Date.UTC(to, 11, 31))).toISOString().slice(0, 10)
}

/** Shaped like a Swiss insurance number. */
export function insuranceNumber(random: Random): string {
  return `756.${random.digits(4)}.${random.digits(4)}.${random.digits(2)}`
}

export function phone(random: Random): string {
  return `+41 7${random.int(6, 9)} ${random.digits(3)} ${random.digits(2)} ${random.digits(2)}`
}

export function address(random: Random): string {
  const [code, city] = random.pick(words.CITIES)
  return `${random.pick(words.STREETS)} ${random.int(1, 140)}, ${code} ${city}`
}

export function contact(random: Random) {
  return {
    address: address(random),
    emergency: {
      name: person(random),
      relation: random.pick(words.RELATIONS),
      phone: phone(random),
    },
  }
}

export function note(random: Random): string {
  return [
    ...random.sample(words.COMPLAINTS, random.int(1, 2)),
    ...random.sample(words.FINDINGS, random.int(1, 2)),
    random.pick(words.NEXT_STEPS),
  ].join(' ')
}

export function report(random: Random): string {
  const lines = [
    `Haemoglobin        ${random.int(98, 172)} g/L      (120-160)`,
    `Leukocytes         ${random.int(30, 140) / 10} G/L      (4.0-10.0)`,
    `Creatinine         ${random.int(48, 140)} µmol/L   (45-84)`,
    `C-reactive protein ${random.int(1, 90)} mg/L     (< 5)`,
    `Ferritin           ${random.int(6, 320)} µg/L     (15-150)`,
  ]
  return ['LABORATORY REPORT', `Sample ${random.digits(8)}`, '', ...lines, '', note(random)].join(
    '\n',
  )
}

export function answers(random: Random) {
  return {
    allergies: random.sample(words.ALLERGIES, random.int(0, 2)),
    medication: random.sample(words.DRUGS, random.int(0, 3)).map((drug) => ({
      drug,
      milligrams: random.pick([5, 10, 25, 50, 100, 500]),
      perDay: random.int(1, 3),
    })),
    heightCm: random.int(148, 198),
    weightKg: random.int(450, 1180) / 10,
    smoker: random.chance(0.2),
    pregnant: random.chance(0.03) ? true : null,
    remarks: random.chance(0.3) ? random.pick(words.COMPLAINTS) : '',
  }
}

/** UUIDs of version 7 begin with the time in milliseconds, so they sort as they were made. */
export function uuid7(time: Date, random: Random): string {
  const hex = time.getTime().toString(16).padStart(12, '0') + random.bytes(10).toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `7${hex.slice(13, 16)}`,
    `${random.pick(['8', '9', 'a', 'b'])}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join('-')
}

export function bytes(...parts: readonly (Buffer | string)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))),
  )
}
