// Makes envelope-v1.json from docs/spec/envelope-v1.md with node:crypto alone: it shares no code with
// the packages, so that the vectors are a second opinion. `node vectors/make.mjs` writes the file,
// `node vectors/make.mjs --check` compares it.
import { createCipheriv, createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('./envelope-v1.json', import.meta.url)
const MAX = 16 * 1024 * 1024

// ---- bytes ----

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const bin = (text) => Buffer.from(text, 'hex')
const utf8 = (text) => Buffer.from(text, 'utf8')
const cat = (...parts) => Buffer.concat(parts.map((part) => Buffer.from(part)))
const uint16 = (n) => bin(n.toString(16).padStart(4, '0'))
const uint32 = (n) => bin(n.toString(16).padStart(8, '0'))
const lp = (bytes) => cat(uint32(bytes.length), bytes)

/** Bytes that look random and are the same in every run. */
function bytesOf(label, length) {
  const blocks = []
  for (let n = 0; n * 32 < length; n++)
    blocks.push(createHash('sha256').update(`rowseal vectors ${label} ${n}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

function seal(key, nonce, aad, plaintext) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  return cat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

function flip(bytes, at, bit = 0x01) {
  const out = Buffer.from(bytes)
  out[at < 0 ? out.length + at : at] ^= bit
  return out
}

// ---- the specification, one function for each of its lines ----

const dekAad = (suite, keyId) => cat(utf8('rowseal/v1/dek'), [suite], uint32(keyId))

const valueAad = (suite, id, bound) =>
  cat(utf8('rowseal/v1/value'), [suite], lp(utf8(id)), [bound.length], ...bound.map(lp))

const wrappedDek = (c) =>
  c.suite === 0x01
    ? cat(c.dekNonce, seal(c.kek, c.dekNonce, dekAad(c.suite, c.keyId), c.dek))
    : cat(uint16(c.blob.length), c.blob)

const body = (c) =>
  cat(
    [c.suite],
    wrappedDek(c),
    c.nonce,
    seal(c.dek, c.nonce, valueAad(c.suite, c.id, c.bound), c.plaintext),
  )

const textOf = (keyId, bytes) =>
  `rs1.${keyId.toString(16).padStart(8, '0')}.${Buffer.from(bytes).toString('base64url')}`

const bytesOfBody = (keyId, bytes) => cat([0x52, 0x53, 0x01], uint32(keyId), bytes)

const TAGS = { String: 0x01, Json: 0x02, Bytes: 0x03 }

function plaintext(type, value, pad) {
  if (pad === 0) return cat([TAGS[type]], value)
  const padded = pad * Math.max(1, Math.ceil(value.length / pad))
  return cat([TAGS[type] | 0x80], uint32(value.length), value, Buffer.alloc(padded - value.length))
}

// ---- key store and cases ----

const KEYS = [
  { keyId: 0, keyring: 'lowest', suite: 0x01, kek: bytesOf('kek 0', 32) },
  { keyId: 1, keyring: 'default', suite: 0x01, kek: bytesOf('kek 1', 32) },
  { keyId: 0x2a, keyring: 'default', suite: 0x01, kek: bytesOf('kek 42', 32) },
  { keyId: 3, keyring: 'kms', suite: 0x02 },
  { keyId: 0xabcdef, keyring: 'other', suite: 0x01, kek: bytesOf('kek abcdef', 32) },
  { keyId: 0xffffffff, keyring: 'highest', suite: 0x01, kek: bytesOf('kek ffffffff', 32) },
]

/** Everything a case needs, with what is not said filled in; `plaintext` may be given to break it. */
function make(name, given) {
  const { keyId = 1, type = 'String', pad = 0 } = given
  const key = KEYS.find((k) => k.keyId === keyId) ?? KEYS[1]
  const value = given.value === undefined ? utf8('Ada Lovelace') : Buffer.from(given.value)
  return {
    name,
    keyId,
    suite: key.suite,
    keyring: key.keyring,
    kek: key.kek,
    dek: bytesOf(`dek ${name}`, 32),
    dekNonce: bytesOf(`dek nonce ${name}`, 12),
    blob: bytesOf(`blob ${name}`, given.blobBytes ?? 184),
    nonce: bytesOf(`nonce ${name}`, 12),
    id: 'Patient.name',
    bound: [],
    type,
    pad,
    value,
    plaintext: plaintext(type, value, pad),
    ...given.override,
  }
}

function accept(name, reason, given = {}) {
  const c = make(name, { ...given, override: pick(given, ['id', 'bound']) })
  const sealed = body(c)
  return {
    name,
    reason,
    keyId: c.keyId,
    keyring: c.keyring,
    suite: c.suite,
    ...(c.suite === 0x01
      ? { kek: hex(c.kek), dek: hex(c.dek), dekNonce: hex(c.dekNonce) }
      : { dek: hex(c.dek), blob: hex(c.blob) }),
    nonce: hex(c.nonce),
    id: c.id,
    bound: c.bound.map(hex),
    type: c.type,
    pad: c.pad,
    value: c.type === 'Bytes' ? hex(c.value) : c.value.toString('utf8'),
    dekAad: hex(dekAad(c.suite, c.keyId)),
    aad: hex(valueAad(c.suite, c.id, c.bound)),
    plaintext: hex(c.plaintext),
    text: textOf(c.keyId, sealed),
    bytes: hex(bytesOfBody(c.keyId, sealed)),
  }
}

const pick = (from, names) =>
  Object.fromEntries(names.filter((n) => from[n] !== undefined).map((n) => [n, from[n]]))

const reader = (c, field = {}) => ({
  keyring: field.keyring ?? c.keyring,
  id: field.id ?? c.id,
  bound: (field.bound ?? c.bound).map(hex),
  type: field.type ?? c.type,
  ...(c.suite === 0x02 ? { dek: hex(field.dek ?? c.dek) } : {}),
})

const parse = (rule, name, reason, form) => ({ name, rule, step: 'parse', reason, ...form })

/** A case beyond parsing: sealed as `given`, changed by `change`, read as `field`. */
function reject(step, rule, name, reason, given = {}, field = {}, change = (sealed) => sealed) {
  const c = make(name, given)
  const sealed = change(body(c), c)
  const keyId = field.keyId ?? c.keyId
  const form =
    field.form === 'bytes'
      ? { bytes: hex(bytesOfBody(keyId, sealed)) }
      : { text: textOf(keyId, sealed) }
  return { name, rule, step, reason, ...reader(c, field), ...form }
}

// ---- accept ----

const bomText = '\ufeffbyte order mark'
const inner = textOf(1, body(make('inner', {})))

const ACCEPT = [
  accept('string', 'text in ASCII'),
  accept('string-empty', 'the empty text is a value', { value: '' }),
  accept('string-one', 'one byte: base64url ends in a group of three', { value: '1' }),
  accept('string-two', 'two bytes: base64url ends in a group of two', { value: '12' }),
  accept('string-three', 'three bytes: base64url ends in a whole group', { value: '123' }),
  accept('string-unicode', 'two, three and four bytes for a character', {
    value: utf8('Zo\u00eb \u0141ukasiewicz \u5c71\u7530 \u{1f3e5}'),
  }),
  accept('string-not-normalised', 'a letter and a combining accent stay two characters', {
    value: utf8('Zoe\u0308'),
  }),
  accept('string-nul', 'U+0000 is a character', { value: utf8('a\u0000b') }),
  accept('string-bom', 'a byte order mark is a character', { value: utf8(bomText) }),
  accept('string-edges', 'first and last of each length of UTF-8, and both sides of the surrogates', {
    value: utf8('\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}'),
  }),
  accept('string-sealed-twice', 'a value that looks sealed is sealed like any other', {
    value: utf8(inner),
  }),
  accept('string-1000', 'a longer text', { value: utf8('0123456789'.repeat(100)) }),
  accept('string-pad', 'padded to a multiple', { pad: 32 }),
  accept('string-pad-full', 'the value fills its padding', { pad: 4 }),
  accept('string-pad-one', 'a multiple of 1 adds nothing but the length', { pad: 1 }),
  accept('string-pad-empty', 'the empty text looks like a short one', { pad: 16, value: '' }),
  accept('string-pad-zeros', 'zeros that belong to the value are kept', {
    pad: 8,
    value: utf8('ab\u0000'),
  }),
  accept('json-object', 'an object', { type: 'Json', value: utf8('{"dose":1.5,"unit":"mg"}') }),
  accept('json-null', 'JSON null is a value', { type: 'Json', value: 'null' }),
  accept('json-number', 'a bare number', { type: 'Json', value: '1' }),
  accept('json-string', 'a bare string with an escaped lone surrogate, which is JSON', {
    type: 'Json',
    value: utf8('"\\ud800"'),
  }),
  accept('json-proto', 'a key that is special to some languages', {
    type: 'Json',
    value: utf8('{"__proto__":{"admin":true}}'),
  }),
  accept('json-white-space', 'white space is kept as it is', { type: 'Json', value: utf8(' [1,\n2] ') }),
  accept('json-pad', 'padded', { type: 'Json', value: utf8('[]'), pad: 64 }),
  accept('bytes', 'bytes that are not UTF-8', { type: 'Bytes', value: bin('00ff80c0fe') }),
  accept('bytes-none', 'no bytes are a value', { type: 'Bytes', value: '' }),
  accept('bytes-pad', 'padded', { type: 'Bytes', value: bin('0000'), pad: 16 }),
  accept('key-id-lowest', 'key id 0', { keyId: 0 }),
  accept('key-id-letters', 'key id in lowercase hex', { keyId: 0xabcdef }),
  accept('key-id-highest', 'the highest key id', { keyId: 0xffffffff }),
  accept('key-id-other', 'another key version of the same keyring', { keyId: 0x2a }),
  accept('id-unicode', 'a field id beyond ASCII counts bytes, not characters', { id: 'Patient.näme' }),
  accept('bound-one', 'bound to one column', { bound: [utf8('7f3c')] }),
  accept('bound-two', 'bound to two columns', { bound: [utf8('7f3c'), utf8('-12')] }),
  accept('bound-empty', 'bound to a column that is empty', { bound: [utf8('')] }),
  accept('bound-255', 'bound to as many columns as there can be', {
    bound: Array.from({ length: 255 }, (_, n) => utf8(String(n % 10))),
  }),
  accept('kms', 'DEK wrapped by a KMS', { keyId: 3 }),
  accept('kms-blob-1', 'the shortest blob', { keyId: 3, blobBytes: 1 }),
  accept('kms-blob-4096', 'the longest blob', { keyId: 3, blobBytes: 4096, type: 'Bytes', value: bin('01') }),
  accept('kms-json-pad-bound', 'all at once', {
    keyId: 3,
    type: 'Json',
    value: utf8('{"a":[true,false,null]}'),
    pad: 32,
    bound: [utf8('true')],
  }),
]

// ---- foreign ----

const plain = make('foreign', {})
const foreignText = (name, reason, text) => ({ name, reason, text })
const foreignBytes = (name, reason, bytes) => ({ name, reason, bytes: hex(bytes) })

const FOREIGN = [
  foreignText('text-empty', 'empty', ''),
  foreignText('text-plain', 'ordinary text', 'Ada Lovelace'),
  foreignText('text-rs1', 'one character short of a claim', 'rs1'),
  foreignText('text-upper-case', 'magic in upper case', textOf(1, body(plain)).replace('rs1', 'RS1')),
  foreignText('text-version-2', 'another version', textOf(1, body(plain)).replace('rs1', 'rs2')),
  foreignText('text-space', 'white space before the magic', ` ${textOf(1, body(plain))}`),
  foreignText('text-bom', 'a byte order mark before the magic', `\ufeff${textOf(1, body(plain))}`),
  foreignText('text-quoted', 'still in the quotes of a JSON string', `"${textOf(1, body(plain))}"`),
  foreignText('text-blind-index', 'a blind index', `ri1.00000001.${hex(bytesOf('index', 32))}`),
  foreignBytes('bytes-empty', 'empty', []),
  foreignBytes('bytes-two', 'one byte short of a claim', [0x52, 0x53]),
  foreignBytes('bytes-version-2', 'another version', cat([0x52, 0x53, 0x02], uint32(1), body(plain))),
  foreignBytes('bytes-text-form', 'the text form in a binary column', utf8(textOf(1, body(plain)))),
]

// ---- bound columns ----

const bound = (name, reason, type, value, text) => ({ name, reason, type, value, text })

const BOUND = [
  bound('bound-string', 'text as it is', 'String', 'Ward 3', 'Ward 3'),
  bound('bound-string-empty', 'the empty text', 'String', '', ''),
  bound('bound-string-case', 'case is kept', 'String', 'AbC', 'AbC'),
  bound('bound-string-space', 'white space is kept', 'String', ' a  ', ' a  '),
  bound('bound-string-not-normalised', 'a letter and an accent stay two', 'String', 'Zoe\u0308', 'Zoe\u0308'),
  bound('bound-string-uuid', 'a UUID in a text column is text', 'String', '7F3C0A1E-0000-4000-8000-0000000000FF', '7F3C0A1E-0000-4000-8000-0000000000FF'),
  bound('bound-string-digits', 'a text of digits is text', 'String', '007', '007'),
  bound('bound-string-surrogate', 'UTF-8 cannot carry it', 'String', 'a\ud800', null),
  bound('bound-string-number', 'a number is no text', 'String', 7, null),
  bound('bound-uuid', 'a native UUID', 'Uuid', '7f3c0a1e-0000-4000-8000-0000000000ff', '7f3c0a1e-0000-4000-8000-0000000000ff'),
  bound('bound-uuid-case', 'the database gives back lower case', 'Uuid', '7F3C0A1E-0000-4000-8000-0000000000FF', '7f3c0a1e-0000-4000-8000-0000000000ff'),
  bound('bound-uuid-bare', 'other spellings are not taken', 'Uuid', '7f3c0a1e0000400080000000000000ff', null),
  bound('bound-uuid-braces', 'other spellings are not taken', 'Uuid', '{7f3c0a1e-0000-4000-8000-0000000000ff}', null),
  bound('bound-int', 'a number', 'Int', 42, '42'),
  bound('bound-int-zero', 'zero', 'Int', 0, '0'),
  bound('bound-int-negative', 'a negative number', 'Int', -2147483648, '-2147483648'),
  bound('bound-int-fraction', 'no integer', 'Int', 1.5, null),
  bound('bound-int-text', 'a text is no number', 'Int', '42', null),
  bound('bound-bigint', 'a number beyond 2^53', 'BigInt', '9007199254740993', '9007199254740993'),
  bound('bound-bigint-lowest', 'the lowest', 'BigInt', '-9223372036854775808', '-9223372036854775808'),
  bound('bound-bigint-zero', 'a number has one spelling', 'BigInt', '-0', '0'),
  bound('bound-bigint-zeros', 'a number has one spelling', 'BigInt', '0012', '12'),
  bound('bound-bigint-plus', 'not a number that Prisma takes', 'BigInt', '+1', null),
  bound('bound-boolean-true', 'true', 'Boolean', true, 'true'),
  bound('bound-boolean-false', 'false', 'Boolean', false, 'false'),
  bound('bound-boolean-number', 'a number is no Boolean', 'Boolean', 1, null),
  bound('bound-enum', 'name of the value', 'Enum', 'OUT_PATIENT', 'OUT_PATIENT'),
  bound('bound-null', 'NULL cannot be bound', 'String', null, null),
]

// ---- reject: parse ----

const text = textOf(1, body(plain)) // 90 + 12 bytes of body: whole groups, no spare bits
const text1 = textOf(1, body(make('spare', { value: '1' }))) // 91 bytes: ends in two characters
const text2 = textOf(1, body(make('spare', { value: '12' }))) // 92 bytes: ends in three
const B64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const nextLast = (t) => t.slice(0, -1) + B64[B64.indexOf(t.at(-1)) + 1]
const at = (t, index, char) => t.slice(0, index) + char + t.slice(index + 1)
const after = (t, index, chars) => t.slice(0, index) + chars + t.slice(index)
const kmsCase = make('kms-cut', { keyId: 3 })
const kms = bytesOfBody(3, body(kmsCase))
const kmsLength = (n) => bytesOfBody(3, cat([0x02], uint16(n), bytesOf('blob', n), body(plain).subarray(61)))
const binary = bytesOfBody(1, body(plain))
const empty = make('no-codec', { override: { plaintext: Buffer.alloc(0) } })

const REJECT_PARSE = [
  parse('key-id', 'key-id-upper-case', 'upper-case hex', { text: text.replace('0000001', '000000A') }),
  parse('key-id', 'key-id-7', 'seven digits', { text: text.replace('.00000001.', '.0000001.') }),
  parse('key-id', 'key-id-letter', 'not hexadecimal', { text: at(text, 11, 'g') }),
  parse('key-id', 'key-id-sign', 'a sign', { text: at(text, 4, '+') }),
  parse('key-id', 'key-id-0x', 'a prefix that number parsers take', { text: at(text, 5, 'x') }),
  parse('key-id', 'key-id-space', 'a space that number parsers skip', { text: at(text, 4, ' ') }),
  parse('key-id', 'key-id-wide', 'a digit beyond ASCII', { text: at(text, 11, '\uff11') }),
  parse('key-id', 'key-id-none', 'nothing after the magic: cut short, or plaintext', { text: 'rs1.' }),
  parse('key-id', 'key-id-price', 'plaintext that claims to be an envelope', { text: 'rs1.50' }),
  parse('key-id', 'key-id-cut', 'cut within the key id', { text: text.slice(0, 9) }),
  parse('separator', 'separator-digit', 'nine digits', { text: text.replace('.0', '.00') }),
  parse('separator', 'separator-missing', 'base64url right after the key id', {
    text: text.replace('00000001.', '00000001'),
  }),
  parse('separator', 'separator-hyphen', 'another separator', { text: at(text, 12, '-') }),
  parse('separator', 'separator-none', 'cut before the separator', { text: text.slice(0, 12) }),
  parse('base64-length', 'base64-length-1', 'a last group of one character', { text: `${text}A` }),
  parse('base64-length', 'base64-length-only-1', 'one character', { text: text.slice(0, 14) }),
  parse('base64-padding', 'base64-padding-1', 'padded as in other base64', { text: `${text2}=` }),
  parse('base64-padding', 'base64-padding-2', 'padded as in other base64', { text: `${text1}==` }),
  parse('base64-padding', 'base64-padding-4', 'padding on its own', { text: `${text}====` }),
  parse('base64-padding', 'base64-padding-short', 'half of the padding', { text: `${text1}=` }),
  parse('base64-alphabet', 'base64-plus', '"+" of standard base64', { text: at(text, 40, '+') }),
  parse('base64-alphabet', 'base64-slash', '"/" of standard base64', { text: at(text, 41, '/') }),
  parse('base64-alphabet', 'base64-slash-last', '"/" as the last character', { text: at(text, text.length - 1, '/') }),
  parse('base64-alphabet', 'base64-newline', 'a line end after the envelope', { text: `${text}\n` }),
  parse('base64-alphabet', 'base64-space', 'a space after the envelope', { text: `${text} ` }),
  parse('base64-alphabet', 'base64-space-first', 'a space before base64url', { text: after(text, 13, ' ') }),
  parse('base64-alphabet', 'base64-wrapped', 'a line end every 76 characters', { text: after(text, 76, '\r\n') }),
  parse('base64-alphabet', 'base64-spaces-4', 'a whole group of spaces', { text: after(text, 77, '    ') }),
  parse('base64-alphabet', 'base64-equals-inside', '"=" before the end', { text: at(text, 50, '=') }),
  parse('base64-alphabet', 'base64-stop', 'another full stop', { text: at(text, 50, '.') }),
  parse('base64-alphabet', 'base64-nul', 'U+0000 after the envelope', { text: `${text}\u0000` }),
  parse('base64-alphabet', 'base64-latin', 'U+00C1, "A" with its high bit set', { text: at(text, 50, '\u00c1') }),
  parse('base64-alphabet', 'base64-wide', 'U+0141, whose low byte is that of "A"', {
    text: at(text, 50, String.fromCharCode(0x100 + text.charCodeAt(50))),
  }),
  parse('base64-spare-bits', 'base64-spare-bits-4', 'one of four spare bits', { text: nextLast(text1) }),
  parse('base64-spare-bits', 'base64-spare-bits-2', 'one of two spare bits', { text: nextLast(text2) }),
  parse('truncated', 'truncated-no-body', 'nothing after the prefix', { text: text.slice(0, 13) }),
  parse('truncated', 'truncated-suite', 'nothing after the suite', { text: textOf(1, [0x01]) }),
  parse('truncated', 'truncated-fixed', 'one byte short of the shortest body', {
    text: textOf(1, cat([0x01], Buffer.alloc(60 + 12 + 16))),
  }),
  parse('truncated', 'truncated-no-codec', 'a valid tag over no plaintext', { text: textOf(1, body(empty)) }),
  parse('truncated', 'truncated-magic', 'nothing after the magic', { bytes: '525301' }),
  parse('truncated', 'truncated-key-id', 'cut within the key id', { bytes: hex(binary.subarray(0, 6)) }),
  parse('truncated', 'truncated-bytes-no-body', 'nothing after the prefix', { bytes: hex(binary.subarray(0, 7)) }),
  parse('truncated', 'truncated-bytes-no-codec', 'a valid tag over no plaintext', {
    bytes: hex(bytesOfBody(1, body(empty))),
  }),
  parse('truncated', 'truncated-kms-length', 'cut within the length of the blob', { bytes: hex(kms.subarray(0, 9)) }),
  parse('truncated', 'truncated-kms-blob', 'cut within the blob', { bytes: hex(kms.subarray(0, 60)) }),
  parse('truncated', 'truncated-kms-long', 'a length of blob that leaves no ciphertext', {
    bytes: hex(cat(kms.subarray(0, 8), uint16(kms.length - 10 - 28), kms.subarray(10))),
  }),
  ...[0x00, 0x03, 0x80, 0xff].map((suite) =>
    parse('suite', `suite-${suite}`, 'a suite that is not of this version', {
      bytes: hex(bytesOfBody(1, cat([suite], body(plain).subarray(1)))),
    }),
  ),
  parse('suite', 'suite-text', 'a suite that is not of this version', {
    text: textOf(1, cat([0x11], body(plain).subarray(1))),
  }),
  parse('kms-length', 'kms-length-0', 'no blob', { bytes: hex(kmsLength(0)) }),
  parse('kms-length', 'kms-length-4097', 'a blob too long', { bytes: hex(kmsLength(4097)) }),
  parse('size', 'size-text', 'ciphertext of 16,777,222 bytes', {
    text: { head: 'rs1.00000001.AQ', repeat: 'A', count: ((1 + 60 + 12 + MAX + 6 + 16) * 4) / 3 - 2 },
  }),
  parse('size', 'size-text-24', 'a text of 24 MiB', {
    text: { head: 'rs1.00000001.AQ', repeat: 'A', count: 24 * 1024 * 1024 - 2 },
  }),
  parse('size', 'size-bytes', 'ciphertext of 16,777,222 bytes', {
    bytes: { head: '5253010000000101', repeat: '00', count: 60 + 12 + MAX + 6 + 16 },
  }),
]

// ---- reject: key, unwrap, open ----

const other = make('other', {})
const replaceDek = (sealed) => cat(sealed.subarray(0, 1), wrappedDek(other), sealed.subarray(61))
const longBound = { override: { bound: [utf8('ab'), utf8('c')] } }

const REJECT_KEYS = [
  reject('key', 'key-unknown', 'key-unknown', 'the key store has no such key id', {}, { keyId: 9 }),
  reject('key', 'key-keyring', 'key-keyring', 'a valid envelope of another keyring', { keyId: 0xabcdef }, { keyring: 'default' }),
  reject('key', 'key-suite', 'key-suite-kms', 'suite 0x02 under a key id of suite 0x01', { keyId: 3 }, { keyId: 1, keyring: 'default' }),
  reject('key', 'key-suite', 'key-suite-kek', 'suite 0x01 under a key id of suite 0x02', {}, { keyId: 3, keyring: 'kms' }),
  reject('unwrap', 'dek-auth', 'dek-key-id', 'the key id was changed to another one with the same KEK', {
    override: { keyId: 0x2a, kek: KEYS[1].kek },
  }, { keyId: 1 }),
  reject('unwrap', 'dek-auth', 'dek-kek', 'wrapped under another KEK', { override: { kek: KEYS[2].kek } }),
  reject('unwrap', 'dek-auth', 'dek-nonce', 'a bit of the wrap nonce', {}, {}, (s) => flip(s, 1)),
  reject('unwrap', 'dek-auth', 'dek-ciphertext', 'a bit of the wrapped DEK', {}, {}, (s) => flip(s, 13, 0x80)),
  reject('unwrap', 'dek-auth', 'dek-tag', 'a bit of the wrap tag', {}, { form: 'bytes' }, (s) => flip(s, 60)),
  reject('unwrap', 'dek-length', 'dek-length-16', 'the KMS returns an AES-128 key', { keyId: 3 }, { dek: bytesOf('short', 16) }),
  reject('unwrap', 'dek-length', 'dek-length-33', 'the KMS returns a byte too many', { keyId: 3 }, { dek: bytesOf('long', 33) }),
  reject('open', 'value-auth', 'value-nonce', 'a bit of the nonce', {}, {}, (s) => flip(s, 61)),
  reject('open', 'value-auth', 'value-ciphertext', 'a bit of the ciphertext', {}, { form: 'bytes' }, (s) => flip(s, 73, 0x10)),
  reject('open', 'value-auth', 'value-tag', 'the last bit of the tag', {}, {}, (s) => flip(s, -1)),
  reject('open', 'value-auth', 'value-cut', 'the last byte is missing', {}, {}, (s) => s.subarray(0, -1)),
  reject('open', 'value-auth', 'value-appended', 'a byte too many', {}, {}, (s) => cat(s, [0])),
  reject('open', 'value-auth', 'value-dek', 'the wrapped DEK of another envelope, itself valid', {}, {}, replaceDek),
  reject('open', 'value-auth', 'value-kms-dek', 'the KMS returns another DEK', { keyId: 3 }, { dek: bytesOf('another', 32) }),
  reject('open', 'value-auth', 'value-kms-nonce', 'a bit of the nonce', { keyId: 3 }, {}, (s) => flip(s, 3 + 184)),
  reject('open', 'value-auth', 'aad-field', 'moved to another field of the model', {}, { id: 'Patient.email' }),
  reject('open', 'value-auth', 'aad-model', 'moved to another model', {}, { id: 'Person.name' }),
  reject('open', 'value-auth', 'aad-case', 'the field id in other case', {}, { id: 'Patient.Name' }),
  reject('open', 'value-auth', 'aad-bound', 'moved to another row', { override: { bound: [utf8('1')] } }, { bound: [utf8('2')] }),
  reject('open', 'value-auth', 'aad-bound-none', 'bound when sealed, not when read', { override: { bound: [utf8('1')] } }, { bound: [] }),
  reject('open', 'value-auth', 'aad-bound-added', 'not bound when sealed, bound when read', {}, { bound: [utf8('')] }),
  reject('open', 'value-auth', 'aad-bound-order', 'bound columns in another order', { override: { bound: [utf8('1'), utf8('2')] } }, { bound: [utf8('2'), utf8('1')] }),
  reject('open', 'value-auth', 'aad-bound-split', 'the same bytes, split elsewhere', longBound, { bound: [utf8('a'), utf8('bc')] }),
  reject('open', 'value-auth', 'aad-bound-joined', 'the same bytes, in one column', longBound, { bound: [utf8('abc')] }),
]

// ---- reject: decode ----

const broken = (rule, name, reason, type, bytes, form) =>
  reject('decode', rule, name, reason, { type, override: { plaintext: bin(bytes) } }, { form })

const REJECT_DECODE = [
  ...['00', '04', '7f', '80', '84', 'ff'].map((tag) =>
    broken('codec', `codec-${tag}`, 'a codec tag that is not of this version', 'String', `${tag}31`),
  ),
  broken('codec', 'codec-41', 'a codec tag with another bit set', 'String', '4131', 'bytes'),
  broken('codec-type', 'codec-json-as-string', 'the number 1 is not the text 1', 'String', '0231'),
  broken('codec-type', 'codec-string-as-json', 'the text 1 is not the number 1', 'Json', '0131'),
  broken('codec-type', 'codec-string-as-bytes', 'text is not bytes', 'Bytes', '0131', 'bytes'),
  broken('codec-type', 'codec-bytes-as-string', 'bytes are not text', 'String', '0331'),
  broken('codec-type', 'codec-pad-as-json', 'padded text is not JSON', 'Json', '810000000131'),
  broken('utf-8', 'utf-8-overlong', 'U+0000 in two bytes', 'String', '01c080'),
  broken('utf-8', 'utf-8-surrogate', 'U+D800', 'String', '01eda080'),
  broken('utf-8', 'utf-8-pair', 'a surrogate pair in three bytes each', 'String', '01eda0bcedbfa5'),
  broken('utf-8', 'utf-8-above', 'above U+10FFFF', 'String', '01f4908080'),
  broken('utf-8', 'utf-8-cut', 'cut within a character', 'String', '0131e282'),
  broken('utf-8', 'utf-8-lone', 'a continuation byte alone', 'String', '0180'),
  broken('utf-8', 'utf-8-ff', 'a byte that UTF-8 never has', 'String', '01ff'),
  broken('utf-8', 'utf-8-json', 'within a JSON string', 'Json', '0222ff22'),
  broken('utf-8', 'utf-8-pad', 'the length cuts a character', 'String', '8100000001c3000000'),
  broken('json', 'json-empty', 'no JSON text', 'Json', '02'),
  broken('json', 'json-cut', 'an object that does not end', 'Json', `02${hex(utf8('{"a":1'))}`),
  broken('json', 'json-two', 'two JSON texts', 'Json', `02${hex(utf8('1 2'))}`),
  broken('json', 'json-nan', 'a number that is not in JSON', 'Json', `02${hex(utf8('NaN'))}`),
  broken('json', 'json-bom', 'a byte order mark', 'Json', '02efbbbf31'),
  broken('json', 'json-nul', 'U+0000 after the text', 'Json', '023100'),
  broken('pad-length', 'pad-length-cut', 'three bytes of length', 'String', '81000000'),
  broken('pad-length', 'pad-length-none', 'no length', 'String', '81'),
  broken('pad-length', 'pad-length-alone', 'a length and no padding', 'String', '8100000000'),
  broken('pad-length', 'pad-length-over', 'one more than there is', 'String', '81000000033132'),
  broken('pad-length', 'pad-length-sign', 'negative as a signed integer', 'Bytes', '83ffffffff31', 'bytes'),
  broken('pad-length', 'pad-length-high', '2^31 more than there is', 'Bytes', '838000000131', 'bytes'),
  broken('pad-zeros', 'pad-zeros-first', 'a one right after the value', 'String', '81000000013101000000'),
  broken('pad-zeros', 'pad-zeros-last', 'a one at the end', 'String', '81000000013100000001'),
  broken('pad-zeros', 'pad-zeros-json', 'white space for padding', 'Json', '82000000013120202020'),
  {
    name: 'size-value',
    rule: 'size',
    step: 'decode',
    reason: 'a value of 16,777,217 bytes, without padding',
    type: 'Bytes',
    plaintext: { head: '03', repeat: '00', count: MAX + 1 },
  },
  {
    name: 'size-value-pad',
    rule: 'size',
    step: 'decode',
    reason: 'value and zeros of 16,777,217 bytes',
    type: 'Bytes',
    plaintext: { head: '8300000001', repeat: '00', count: MAX + 1 },
  },
]

// ---- out ----

const vectors = {
  spec: 'docs/spec/envelope-v1.md',
  keys: KEYS.map(({ kek, ...key }) => (kek === undefined ? key : { ...key, kek: hex(kek) })),
  accept: ACCEPT,
  foreign: FOREIGN,
  bound: BOUND,
  reject: [...REJECT_PARSE, ...REJECT_KEYS, ...REJECT_DECODE],
}

/** JSON in ASCII, so that no editor normalises or reorders what stands in it. */
const json = `${JSON.stringify(vectors, null, 2)}\n`.replace(
  /[\u007f-\uffff]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
)

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== json) {
    process.stderr.write('vectors/envelope-v1.json is not what vectors/make.mjs makes.\n')
    process.exit(1)
  }
} else {
  writeFileSync(FILE, json)
}
