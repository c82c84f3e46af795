import { HAS, type Provider } from './databases.ts'

/** Relations to itself and in circles, and fields with the names of operators and arguments. */
export const zoo = (provider: Provider): string => `
enum Kind {
  CAT
  DOG
}
model Person {
  id        Int      @id
  name      String?
  /// @encrypted
  secret    String   @default("none")
  /// @encrypted
  hint      String?
  bossId    Int?
  boss      Person?  @relation("boss", fields: [bossId], references: [id])
  team      Person[] @relation("boss")
  friends   Person[] @relation("friends")
  friendOf  Person[] @relation("friends")
  partnerId Int?     @unique
  partner   Person?  @relation("pair", fields: [partnerId], references: [id])
  partnerOf Person?  @relation("pair")
  pets      Pet[]
  wrapper   Wrapper?
}
model Pet {
  id      Int     @id
  kind    Kind    @default(CAT)
  /// @encrypted
  chip    String?
  ownerId Int?
  owner   Person? @relation(fields: [ownerId], references: [id])
}
/// A nested update of it may be the fields, or \`{ where, data }\`.
model Wrapper {
  id       Int     @id
  /// @encrypted
  data     Json?
  /// @encrypted
  note     String?
  personId Int?    @unique
  person   Person? @relation(fields: [personId], references: [id])
}
model Odd {
  id          Int     @id
  /// @encrypted
  set         String?
  /// @encrypted
  is          String?
  /// @encrypted
  AND         String?
  /// @encrypted
  where       String?
  /// @encrypted
  select      String?
  /// @encrypted
  constructor String?
  /// @encrypted
  toString    String?
  /// @encrypted
  toJSON      String?
  /// @encrypted
  create      String?
  /// @encrypted
  update      String?
  /// @encrypted
  equals      String?
  /// @encrypted
  push        String?
  parentId    Int?    @unique
  parent      Odd?    @relation("tree", fields: [parentId], references: [id])
  some        Odd?    @relation("tree")
}
model Blank {
  id      Int    @id @default(autoincrement())
  n       Int?
  /// @encrypted
  note    String @default("of the schema")
  /// @encrypted
  valueOf String @default("inherited")
}
model NoId {
  code  String @unique
  kind  Kind
  /// @encrypted
  value Bytes?
}
${!HAS[provider].lists ? '' : 'model Strings {\n  id Int @id\n  /// @encrypted\n  list String[] @default(["a", "b"])\n}'}
`
