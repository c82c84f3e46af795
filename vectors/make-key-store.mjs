// Makes key-store-v2.json from docs/spec/key-store-v2.md with SHA-256 and HMAC of node:crypto alone: it shares no
// code with the packages, and writes JSON by itself. `node vectors/make-key-store.mjs` writes the file, with
// `--check` it compares it.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('./key-store-v2.json', import.meta.url)

// ---- the specification, one function for each of its lines ----

const utf8 = (text) => Buffer.from(text, 'utf8')
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const uint32 = (n) => Buffer.from(n.toString(16).padStart(8, '0'), 'hex')
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()

const SHORT = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '"': '\\"', '\\': '\\\\' }

/** JSON of the specification: no white space, as few escapes as can be. */
function json(value) {
  if (Array.isArray(value)) return `[${value.map(json).join(',')}]`
  if (typeof value !== 'string') return String(value)
  const escaped = [...value].map((char) => {
    if (SHORT[char] !== undefined) return SHORT[char]
    return char < ' ' ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char
  })
  return `"${escaped.join('')}"`
}

const rowList = (row) => [
  row.keyId, row.keyring, row.version, row.state, row.suite, row.rootKeyId, row.wrappedKek, row.checkValue,
  row.createdAt, row.activatedAt, row.suspendedAt, row.compromisedAt, row.destroyAt, row.stateAt, row.rewrappedFrom,
]
const indexList = (index) => [
  index.id, index.normalize, index.isUnique, index.complete, index.lookup, index.writes, index.keys,
]
const rowText = (row) => json(rowList(row))
const digest = (row) => hex(sha256(utf8('rowseal/v1/row'), utf8(rowText(row))))
const headText = (head) =>
  json([
    head.keyring, head.activeKeyId, head.revision, head.indexes.map(indexList), head.digests, head.macKey.rootKeyId,
    head.macKey.wrapped,
  ])
const mac = (key, head) => hex(hmac(key, utf8('rowseal/v1/head'), utf8(headText(head))))
const checkValue = (kek, keyId, keyring) => hex(hmac(kek, utf8('rowseal/v1/check'), uint32(keyId), utf8(keyring)))

/** An object as JSON, its fields in the order given. */
const object = (fields) => `{${fields.map(([name, text]) => `${json(name)}:${text}`).join(',')}}`
const base64 = (hexText) => json(Buffer.from(hexText, 'hex').toString('base64'))

function document(head, macText, rows) {
  const names = ['createdAt', 'activatedAt', 'suspendedAt', 'compromisedAt', 'destroyAt', 'stateAt']
  const row = (r) =>
    object([
      ...['keyId', 'version', 'state', 'suite', 'rootKeyId'].map((name) => [name, json(r[name])]),
      ['wrappedKek', base64(r.wrappedKek)],
      ['checkValue', base64(r.checkValue)],
      ...names.map((name) => [name, json(r[name])]),
      ['rewrappedFrom', json(r.rewrappedFrom)],
    ])
  const index = (i) =>
    object(['id', 'normalize', 'isUnique', 'complete', 'lookup', 'writes', 'keys'].map((name) => [name, json(i[name])]))
  return object([
    ['keyring', json(head.keyring)],
    ['activeKeyId', json(head.activeKeyId)],
    ['revision', json(head.revision)],
    ['indexes', `[${head.indexes.map(index).join(',')}]`],
    ['digests', json(head.digests)],
    ['macKey', object([['rootKeyId', json(head.macKey.rootKeyId)], ['wrapped', base64(head.macKey.wrapped)]])],
    ['mac', base64(macText)],
    ['keys', `[${rows.map(row).join(',')}]`],
  ])
}

// ---- keyrings ----

/** Bytes that look random and are the same in every run. */
const bytes = (name, count) => Buffer.concat([0, 1].map((i) => sha256(utf8(`rowseal key store vectors ${name} ${i}`)))).subarray(0, count)
const ROOT = 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000'
const T = 1_790_000_000_000

function row(keyring, keyId, version, state, change = {}) {
  const kek = bytes(`kek ${keyId}`, 32)
  return {
    kek: hex(kek), // not stored
    keyId, keyring, version, state,
    suite: 1,
    rootKeyId: ROOT,
    wrappedKek: state === 'destroyed' ? '' : hex(bytes(`wrapped ${keyId}`, 60)),
    checkValue: checkValue(kek, keyId, keyring),
    createdAt: T, activatedAt: T + 1, suspendedAt: null, compromisedAt: null, destroyAt: null, stateAt: T + 1,
    rewrappedFrom: [],
    ...change,
  }
}

function accept(name, reason, keyring, rows, { activeKeyId, revision, indexes = [] }) {
  const key = bytes(`mac ${name}`, 32)
  const head = {
    keyring, activeKeyId, revision, indexes,
    digests: [...rows].sort((a, b) => a.keyId - b.keyId).map((r) => [r.keyId, digest(r)]),
    macKey: { rootKeyId: ROOT, wrapped: hex(bytes(`mac wrapped ${name}`, 60)) },
  }
  const macText = mac(key, head)
  return {
    name, reason,
    key: hex(key),
    rows: rows.map((r) => ({ ...r, text: rowText(r), digest: digest(r) })),
    head: { ...head, text: headText(head), mac: macText },
    document: document(head, macText, rows),
  }
}

const ACCEPT = [
  accept('first', 'a keyring as init makes it', 'default', [row('default', 1, 1, 'active')], { activeKeyId: 1, revision: 1 }),
  accept('states', 'every state, key ids that are not in the order of versions, a root key id that is not ASCII', 'tenant/acme', [
    row('tenant/acme', 4294967295, 1, 'destroyed', { suspendedAt: T + 2, compromisedAt: T + 3, stateAt: T + 5 }),
    row('tenant/acme', 2, 2, 'deactivated', { suspendedAt: T + 4, destroyAt: T + 2_592_000_000, stateAt: T + 6 }),
    row('tenant/acme', 7, 3, 'compromised', { suspendedAt: T + 6, compromisedAt: T + 7, stateAt: T + 7, rewrappedFrom: [4294967295, 2] }),
    row('tenant/acme', 5, 4, 'suspended', { suspendedAt: T + 8, stateAt: T + 8, suite: 2 }),
    row('tenant/acme', 6, 5, 'active', { activatedAt: T + 8, stateAt: T + 8, rootKeyId: 'hsm:Zoë "1"\\2\n\u{1f511}' }),
    row('tenant/acme', 8, 6, 'pre-activation', { activatedAt: null, stateAt: T }),
  ], { activeKeyId: 6, revision: 9007199254740991 }),
  accept('indexes', 'index keys, with blind indexes', 'default/index', [
    row('default/index', 3, 1, 'suspended', { suspendedAt: T + 9, stateAt: T + 9 }),
    row('default/index', 4, 2, 'active', { activatedAt: T + 9, stateAt: T + 9 }),
  ], {
    activeKeyId: 4,
    revision: 12,
    indexes: [
      { id: 'User.nameIndex', normalize: ['trim', 'lowercase'], isUnique: false, complete: false, lookup: 1, writes: 'lookup', keys: [null, null] },
      { id: 'Ü.\u{1f3e5} "\\\n', normalize: [], isUnique: true, complete: true, lookup: 2, writes: 'both', keys: [3, 4] },
    ],
  }),
  accept('closed', 'a closed keyring: no version is active', 'tenant/gone', [
    row('tenant/gone', 9, 1, 'deactivated', { stateAt: T + 2, suspendedAt: T + 2 }),
  ], { activeKeyId: 9, revision: 2 }),
]

// ---- what a reader refuses ----

const STATES = ACCEPT[1]
const edit = (rule, name, reason, change) => {
  const document = change(STATES.document)
  if (document === STATES.document) throw new Error(name)
  return { rule, name, reason, keyring: 'tenant/acme', key: STATES.key, document }
}
const swap = (from, to) => (text) => text.replace(from, to)
const first = ACCEPT[0]
const formerRow = /\{"keyId":4294967295,.*?\},/

const REJECT = [
  edit('form', 'form-space', 'white space', swap(',"revision"', ', "revision"')),
  edit('form', 'form-order', 'fields in another order', swap(/("activeKeyId":\d+),("revision":\d+)/, '$2,$1')),
  edit('form', 'form-twice', 'a field twice', swap('{"keyring"', '{"revision":1,"keyring"')),
  edit('form', 'form-more', 'a field too many', swap('"keys":[{', '"more":null,"keys":[{')),
  edit('form', 'form-escape', 'an escape that is not needed', swap('hsm:Zo', 'hsm:\\u005ao')),
  edit('form', 'form-number', 'a number in another form', swap('"version":2', '"version":2.0')),
  edit('form', 'form-cut', 'no JSON', (text) => text.slice(0, -1)),
  edit('form', 'form-base64', 'base64 without its padding', swap(/="/, '"')),
  edit('column', 'column-missing', 'a field is missing', swap(/"stateAt":\d+,/, '')),
  edit('column', 'column-state', 'a state of no kind', swap('"deactivated"', '"retired"')),
  edit('column', 'column-time', 'a time beyond 8.64e15', swap('"destroyAt":null', '"destroyAt":9000000000000000')),
  edit('column', 'column-fraction', 'a key id that is no whole number', swap('"keyId":7', '"keyId":7.5')),
  edit('column', 'column-name', 'another keyring', swap('"tenant/acme"', '"tenant/acmf"')),
  edit('column', 'column-kek', 'a destroyed version with a KEK', swap('"wrappedKek":""', '"wrappedKek":"AAAA"')),
  edit('digest', 'digest-state', 'a compromised version is suspended again', swap('"compromised"', '"suspended"')),
  edit('digest', 'digest-time', 'a time one millisecond off', swap(`"destroyAt":${T + 2_592_000_000}`, `"destroyAt":${T + 2_592_000_001}`)),
  edit('digest', 'digest-leak', 'it was not re-wrapped from a version that leaked', swap('[4294967295,2]', '[]')),
  edit('digest', 'digest-removed', 'a tombstone is gone', swap(formerRow, '')),
  edit('digest', 'digest-added', 'another row', (text) => text.replace('"keys":[', `"keys":[${/\{"keyId":2,.*?\}/.exec(text)[0].replace('"keyId":2', '"keyId":77').replace('"version":2', '"version":77')},`)),
  edit('mac', 'mac-revision', 'another revision', swap('"revision":9007199254740991', '"revision":9007199254740990')),
  edit('mac', 'mac-digest', 'another digest, for a row that was edited', (text) => {
    const changed = { ...STATES.rows[2], rewrappedFrom: [] }
    return text.replace('[4294967295,2]', '[]').replace(STATES.rows[2].digest, digest(changed))
  }),
  edit('mac', 'mac-other', 'the MAC of another keyring', swap(/"mac":"[^"]*"/, `"mac":${base64(first.head.mac)}`)),
  edit('mac', 'mac-cut', 'a MAC of 31 bytes', swap(/"mac":"[^"]*"/, `"mac":${base64(STATES.head.mac.slice(2))}`)),
  edit('active', 'active-other', 'the head names a version that is not active', swap('"activeKeyId":6', '"activeKeyId":5')),
  edit('active', 'active-two', 'two versions are active', swap('"suspended"', '"active"')),
]

// ---- out ----

const vectors = { spec: 'docs/spec/key-store-v2.md', accept: ACCEPT, reject: REJECT }

/** JSON in ASCII, so that no editor normalises what stands in it. */
const out = `${JSON.stringify(vectors, null, 2)}\n`.replace(
  /[\u007f-\uffff]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
)

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== out) {
    process.stderr.write('vectors/key-store-v2.json is not what vectors/make-key-store.mjs makes.\n')
    process.exit(1)
  }
} else {
  writeFileSync(FILE, out)
}
