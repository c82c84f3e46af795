// Makes blind-index-v1.json from docs/spec/blind-index-v1.md with HMAC and SHA-256 of node:crypto
// alone: it shares no code with the packages, and what a text normalises to is written out by hand.
// `node vectors/make-blind-index.mjs` writes the file, with `--check` it compares it.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('./blind-index-v1.json', import.meta.url)

// ---- the specification, one function for each of its lines ----

const utf8 = (text) => Buffer.from(text, 'utf8')
const uint32 = (n) => Buffer.from(n.toString(16).padStart(8, '0'), 'hex')
const lp = (bytes) => Buffer.concat([uint32(bytes.length), bytes])
const hmac = (key, ...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest()

/** HKDF-SHA-256 (RFC 5869) for one block: extract without salt, then expand. */
const subkeyOf = (indexKey, id) => {
  const prk = hmac(Buffer.alloc(32), indexKey)
  return hmac(prk, utf8('rowseal/v1/index'), lp(utf8(id)), Buffer.from([0x01]))
}

const valueOf = (keyId, subkey, normalized) =>
  `ri1.${uint32(keyId).toString('hex')}.${hmac(subkey, utf8(normalized)).toString('hex')}`

// ---- accept ----

const keyOf = (keyId) => createHash('sha256').update(`rowseal index vectors ${keyId}`).digest()

function accept(name, reason, normalize, text, normalized, { keyId = 1, id = 'Patient.emailIndex' } = {}) {
  const key = keyOf(keyId)
  const subkey = subkeyOf(key, id)
  return {
    name,
    reason,
    keyId,
    key: key.toString('hex'),
    id,
    subkey: subkey.toString('hex'),
    normalize,
    text,
    normalized,
    value: valueOf(keyId, subkey, normalized),
  }
}

const SPACES =
  '\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a' +
  '\u2028\u2029\u202f\u205f\u3000\ufeff'

const ACCEPT = [
  accept('plain', 'no normalizer: the text as it is', [], 'Ada@Example.org', 'Ada@Example.org'),
  accept('empty', 'the empty text is a value', [], '', ''),
  accept('nul', 'U+0000 is a character', [], 'a\u0000b', 'a\u0000b'),
  accept('astral', 'four bytes of UTF-8', [], '\u{1f3e5}', '\u{1f3e5}'),
  accept('edges', 'first and last of each length of UTF-8', [], '\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}', '\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}'),
  accept('bom', 'a byte order mark is a character', [], '\ufeffa', '\ufeffa'),
  accept('long', 'longer than a block of SHA-256', [], '0123456789'.repeat(100), '0123456789'.repeat(100)),
  accept('looks-like-one', 'a text that looks like a value is a text', [], `ri1.00000001.${'0'.repeat(64)}`, `ri1.00000001.${'0'.repeat(64)}`),
  accept('key-0', 'lowest key id', [], 'Ada', 'Ada', { keyId: 0 }),
  accept('key-42', 'another key gives another value', [], 'Ada', 'Ada', { keyId: 42 }),
  accept('key-highest', 'highest key id', [], 'Ada', 'Ada', { keyId: 0xffffffff }),
  accept('id-slot-2', 'the second slot of an index has a subkey of its own', [], 'Ada@Example.org', 'Ada@Example.org', { id: 'Patient.emailIndex2' }),
  accept('id-model', 'so has the same column of another model', [], 'Ada@Example.org', 'Ada@Example.org', { id: 'Person.emailIndex' }),
  accept('id-one', 'the shortest id', [], 'Ada', 'Ada', { id: 'x' }),
  accept('id-unicode', 'an id is in UTF-8', [], 'Ada', 'Ada', { id: 'Zo\u00eb.\u{1f3e5}' }),
  accept('id-longest', 'an id of 1000 bytes', [], 'Ada', 'Ada', { id: 'i'.repeat(1000) }),

  accept('trim', 'all white space of the table, at both ends', ['trim'], `${SPACES}a b${SPACES}`, 'a b'),
  accept('trim-not', 'U+0085, U+180E, U+200B and U+2060 are none', ['trim'], '\u0085\u180e\u200ba\u2060', '\u0085\u180e\u200ba\u2060'),
  accept('trim-all', 'nothing is left', ['trim'], SPACES, ''),
  accept('lowercase', 'ASCII', ['lowercase'], 'Ada@EXAMPLE.Org', 'ada@example.org'),
  accept('lowercase-dotted-i', 'U+0130 becomes two characters, in every locale', ['lowercase'], '\u0130I', 'i\u0307i'),
  accept('lowercase-sigma', 'a capital sigma at the end of a word', ['lowercase'], '\u039f\u0394\u039f\u03a3 \u03a3', '\u03bf\u03b4\u03bf\u03c2 \u03c3'),
  accept('lowercase-sharp-s', 'capital and small sharp s', ['lowercase'], '\u1e9e\u00df', '\u00df\u00df'),
  accept('lowercase-astral', 'Deseret', ['lowercase'], '\u{10400}', '\u{10428}'),
  accept('lowercase-kelvin', 'the Kelvin sign is a k', ['lowercase'], '\u212a', 'k'),
  accept('uppercase', 'ASCII', ['uppercase'], 'de89 3704', 'DE89 3704'),
  accept('uppercase-sharp-s', 'one character becomes two', ['uppercase'], 'stra\u00dfe', 'STRASSE'),
  accept('uppercase-ligature', 'a ligature becomes letters', ['uppercase'], '\ufb01', 'FI'),
  accept('uppercase-dotless-i', 'U+0131 is an I, in every locale', ['uppercase'], '\u0131i', 'II'),
  accept('nfc', 'letter and accent become one', ['nfc'], 'Zoe\u0308', 'Zo\u00eb'),
  accept('nfc-singleton', 'the Angstrom sign becomes a letter', ['nfc'], '\u212b', '\u00c5'),
  accept('nfc-excluded', 'a composition that Unicode excludes', ['nfc'], '\u0958', '\u0915\u093c'),
  accept('nfc-order', 'accents in canonical order', ['nfc'], 'q\u0307\u0323', 'q\u0323\u0307'),
  accept('nfc-compatible', 'a ligature stays', ['nfc'], '\ufb01', '\ufb01'),
  accept('nfkc', 'ligature, full width, circled, superscript', ['nfkc'], '\ufb01\uff21\u2460\u00b2', 'fiA12'),
  accept('nfkc-space', 'a no-break space becomes a space', ['nfkc'], 'a\u00a0b', 'a b'),
  accept('diacritics', 'accents go, composed or not', ['diacritics'], 'Zo\u00eb Vie\u0323\u0302t \u00d1and\u00fa', 'Zoe Viet Nandu'),
  accept('diacritics-stroke', 'a stroke is part of its letter', ['diacritics'], '\u0141\u00f8', '\u0141\u00f8'),
  accept('diacritics-hangul', 'syllables are put together again', ['diacritics'], '\ud55c\uae00', '\ud55c\uae00'),
  accept('diacritics-kana', 'voicing marks go: this matches more than it should in Japanese', ['diacritics'], '\u304c', '\u304b'),
  accept('diacritics-alone', 'nothing is left', ['diacritics'], '\u0301', ''),
  accept('digits', 'a telephone number', ['digits'], '+49 (0)30 / 1234-56', '49030123456'),
  accept('digits-other', 'digits of other scripts go', ['digits'], '\u0661\uff11\u{1d7d8}1', '1'),
  accept('digits-none', 'nothing is left', ['digits'], 'none', ''),
  accept('email', 'an address', ['email'], '\u00a0Ada@EXAMPLE.Org\n', 'ada@example.org'),
  accept('email-composed', 'an address with an accent of its own', ['email'], 'Zoe\u0308@example.org', 'zo\u00eb@example.org'),

  accept('order-digits', 'full width digits count after nfkc', ['nfkc', 'digits'], '\uff11\uff12', '12'),
  accept('order-digits-first', 'and not before it', ['digits', 'nfkc'], '\uff11\uff12', ''),
  accept('order-case', 'up, then down', ['uppercase', 'lowercase'], 'Stra\u00dfe', 'strasse'),
  accept('order-case-first', 'down, then up', ['lowercase', 'uppercase'], '\u1e9e', 'SS'),
  accept('order-dotted-i', 'the dot goes after the letter is small', ['lowercase', 'diacritics'], '\u0130', 'i'),
  accept('twice', 'a name may be there twice', ['trim', 'trim'], ' a ', 'a'),
  accept('all', 'everything but digits', ['trim', 'nfkc', 'diacritics', 'uppercase', 'lowercase', 'nfc', 'email'], ' \uff3ao\u00eb@Example.org\u3000', 'zoe@example.org'),
]

// ---- reject ----

const value = ACCEPT[0].value
const at = (index, char) => value.slice(0, index) + char + value.slice(index + 1)
const parse = (rule, name, reason, text) => ({ name, rule, step: 'parse', reason, value: text })
const write = (rule, name, reason, given) => ({ name, rule, step: 'write', reason, normalize: [], text: 'Ada', id: 'Patient.emailIndex', ...given })

const REJECT = [
  parse('length', 'length-empty', 'the empty text', ''),
  parse('length', 'length-76', 'the last character is missing', value.slice(0, -1)),
  parse('length', 'length-78', 'a digit too many', `${value}0`),
  parse('length', 'length-line-end', 'a line end after it', `${value}\n`),
  parse('length', 'length-space-before', 'a space before it', ` ${value}`),
  parse('length', 'length-padded', 'padded as CHAR(80) does', `${value}   `),
  parse('length', 'length-prefix', 'the prefix alone', value.slice(0, 13)),
  parse('magic', 'magic-upper', 'in capitals', at(0, 'R')),
  parse('magic', 'magic-version', 'a later version', at(2, '2')),
  parse('magic', 'magic-envelope', 'the magic of an envelope', at(1, 's')),
  parse('magic', 'magic-cut', 'the first character is missing, one too many at the end', `${value.slice(1)}0`),
  parse('key-id', 'key-id-upper', 'a capital hex digit', at(11, 'A')),
  parse('key-id', 'key-id-space', 'a space', at(4, ' ')),
  parse('key-id', 'key-id-sign', 'a sign', at(4, '+')),
  parse('key-id', 'key-id-wide', 'a full width digit', at(11, '\uff11')),
  parse('separator', 'separator-colon', 'another character', at(12, ':')),
  parse('separator', 'separator-digit', 'a ninth digit', at(12, '0')),
  parse('mac', 'mac-upper', 'a capital hex digit', at(76, 'A')),
  parse('mac', 'mac-letter', 'a letter that is no hex digit', at(13, 'g')),
  parse('mac', 'mac-line-end', 'a line end in its last place', at(76, '\n')),
  parse('mac', 'mac-dash', 'a character of base64url', at(40, '-')),
  write('surrogate', 'surrogate-high', 'a high surrogate alone', { text: 'a\ud800' }),
  write('surrogate', 'surrogate-low', 'a low surrogate alone', { text: '\udc00a' }),
  write('surrogate', 'surrogate-swapped', 'both, in the wrong order', { text: '\udc00\ud800' }),
  write('surrogate', 'surrogate-digits', 'also where a normalizer would drop it', { text: '1\ud800', normalize: ['digits'] }),
  write('normalizer', 'normalizer-case', 'in other case', { normalize: ['Trim'] }),
  write('normalizer', 'normalizer-nfd', 'a form that is not in the table', { normalize: ['nfd'] }),
  write('normalizer', 'normalizer-prototype', 'a name that every object of JavaScript has', { normalize: ['toString'] }),
  write('normalizer', 'normalizer-second', 'after one that is known', { normalize: ['trim', ''] }),
  write('index-id', 'index-id-empty', 'an empty id', { id: '' }),
  write('index-id', 'index-id-surrogate', 'an id with a lone surrogate', { id: 'Patient.\ud800' }),
  write('index-id', 'index-id-long', 'an id of 1001 bytes', { id: `${'i'.repeat(999)}\u00e9` }),
]

// ---- out ----

const vectors = { spec: 'docs/spec/blind-index-v1.md', accept: ACCEPT, reject: REJECT }

/** JSON in ASCII, so that no editor normalises or reorders what stands in it. */
const json = `${JSON.stringify(vectors, null, 2)}\n`.replace(
  /[\u007f-\uffff]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
)

if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== json) {
    process.stderr.write('vectors/blind-index-v1.json is not what vectors/make-blind-index.mjs makes.\n')
    process.exit(1)
  }
} else {
  writeFileSync(FILE, json)
}
