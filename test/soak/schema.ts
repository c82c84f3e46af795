/** Patients with their visits: text, JSON and bytes, two blind indexes, one of them unique, a bound field. */
export const SCHEMA = `
model Patient {
  id         Int     @id
  name       String
  /// @encrypted
  email      String
  /// @blindIndex(email, normalize: [lowercase])
  emailIndex String? @unique
  /// @encrypted
  phone      String?
  /// @blindIndex(phone, normalize: [digits])
  phoneIndex String?
  /// @encrypted
  scan       Bytes?
  visits     Visit[]
  @@index([phoneIndex])
}
model Visit {
  id        Int     @id
  patientId Int
  patient   Patient @relation(fields: [patientId], references: [id], onDelete: Cascade)
  /// @encrypted
  summary   String
  /// @encrypted(bind: [id])
  notes     Json?
  @@index([patientId])
}
`

/** Sealed columns of text, for counting what is stale. */
export const TEXTS = [
  ['Patient', 'email'],
  ['Patient', 'phone'],
  ['Visit', 'summary'],
] as const
