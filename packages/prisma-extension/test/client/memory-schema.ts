export const SCHEMA = `
model Person {
  id         Int     @id
  /// @encrypted
  email      String
  /// @blindIndex(email)
  emailIndex String?
  /// @encrypted
  notes      String
}
`
