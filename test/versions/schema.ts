/** Every type that can be sealed on both databases, every kind of relation, and a model with nothing sealed. */
export const MODELS = `
model Ward {
  id       Int       @id
  name     String    @unique
  floor    Int       @default(0)
  /// @encrypted
  code     String    @default("none")
  patients Patient[]
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
  wardId    Int?
  ward      Ward?     @relation(fields: [wardId], references: [id])
  visits    Visit[]
  updatedAt DateTime  @updatedAt
}
model Visit {
  day       Int
  room      String
  /// @encrypted
  finding   String
  patientId String?
  patient   Patient?  @relation(fields: [patientId], references: [id])
  @@id([day, room])
}
model Sender {
  id      String   @id @default(cuid(2))
  letters Letter[]
}
model Letter {
  id       String  @id @default(uuid(7))
  code     String  @unique
  senderId String
  sender   Sender  @relation(fields: [senderId], references: [id], onUpdate: Restrict)
  /// @encrypted(bind: [id, senderId])
  text     String?
}
model Country {
  code String @id
}
`
