import {
  HAS,
  openSealed,
  type Provider,
  type SealedDatabase,
  type SealedOptions,
} from './databases.ts'

export { PROVIDERS, type Provider } from './databases.ts'
export type TestClinic = SealedDatabase
export type ClinicOptions = SealedOptions

/** Every kind of sealed field, every kind of relation, a compound key, and a model with nothing sealed. */
export const schema = (provider: Provider): string => `
model Clinic {
  id       Int       @id
  name     String    @unique
  /// @encrypted
  licence  String    @default("none")
  patients Patient[]
  staff    Staff[]
}
model Patient {
  id        String    @id @default(uuid())
  name      String
  /// @encrypted
  email     String
  /// @encrypted(pad: 32)
  phone     String?
  /// @encrypted
  notes     Json?
  /// @encrypted
  scan      Bytes?
  age       Int       @default(0)
  clinicId  Int?
  clinic    Clinic?   @relation(fields: [clinicId], references: [id])
  visits    Visit[]
  carers    Staff[]
  profile   Profile?
  updatedAt DateTime  @updatedAt
}
model Profile {
  id        Int     @id
  /// @encrypted
  bio       String
  /// @encrypted
  data      Json?
  patientId String? @unique
  patient   Patient? @relation(fields: [patientId], references: [id])
}
model Visit {
  day       Int
  room      String
  /// @encrypted
  finding   String
  patientId String?
  patient   Patient? @relation(fields: [patientId], references: [id])
  staffId   Int?
  staff     Staff?   @relation(fields: [staffId], references: [id])
  @@id([day, room])
}
model Staff {
  id      Int      @id
  badge   String   @unique
  /// @encrypted
  pin     String?
  clinicId Int?
  clinic  Clinic?  @relation(fields: [clinicId], references: [id])
  visits  Visit[]
  patients Patient[]
}
model Country {
  code String @id
  name String
}
${
  !HAS[provider].lists
    ? ''
    : `
model Lists {
  id    Int      @id
  /// @encrypted
  words String[]
  /// @encrypted
  docs  Json[]
  /// @encrypted
  blobs Bytes[]
}`
}`

export const openClinic = (provider: Provider, options?: ClinicOptions): Promise<TestClinic> =>
  openSealed(provider, schema(provider), options)
