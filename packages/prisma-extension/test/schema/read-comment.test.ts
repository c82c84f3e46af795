import { describe, expect, it } from 'vitest'
import { readComment } from '../../src/schema/index.ts'

const DEFAULTS = {
  kind: 'encrypted',
  plaintext: 'refuse',
  seal: 'on',
  keyring: 'default',
  pad: 0,
  id: null,
  bind: [],
}

describe('readComment', () => {
  it.each([
    ['@encrypted', {}],
    ['@encrypted()', {}],
    ['@encrypted <- the patient asked for it', {}],
    ['@encrypted  since 2026, see the policy', {}],
    ['@encrypted(plaintext: allow)', { plaintext: 'allow' }],
    ['@encrypted(plaintext: refuse, seal: on)', {}],
    ['@encrypted(seal: off)', { seal: 'off', plaintext: 'allow' }],
    ['@encrypted( keyring : "clinic-7" , pad : 16 , )', { keyring: 'clinic-7', pad: 16 }],
    ['@encrypted(id: "Person.mail") renamed', { id: 'Person.mail' }],
    ['@encrypted(bind: [clinicId, id])', { bind: ['clinicId', 'id'] }],
    ['@encrypted?mode=strict', {}],
    ['@encrypted?strict', {}],
    ['@encrypted?mode=readonly', { seal: 'off', plaintext: 'allow' }],
    ['@encrypted?readonly', { seal: 'off', plaintext: 'allow' }],
  ])('reads %s', (text, options) => {
    expect(readComment(text)).toEqual({ ok: true, annotation: { ...DEFAULTS, ...options } })
  })

  it.each([
    ['@blindIndex(email)', 'email', [], 1],
    [
      '@blindIndex(email, normalize: [trim, lowercase], slot: 2)',
      'email',
      ['trim', 'lowercase'],
      2,
    ],
    ['@encryption:hash(email)', 'email', [], 1],
    [
      '@encryption:hash(email)?normalize=trim&normalize=lowercase',
      'email',
      ['trim', 'lowercase'],
      1,
    ],
  ])('reads %s', (text, field, normalize, slot) => {
    expect(readComment(text)).toEqual({
      ok: true,
      annotation: { kind: 'blindIndex', field, normalize, slot, id: null },
    })
  })

  it.each([
    '',
    'The e-mail address, such as ada@encrypted.org',
    'Ask privacy@encrypt.example first.',
    'See `@encrypted` in the manual.',
    '@see https://example.org/@encrypted',
    '@deprecated use phone2',
    '@db.Text would be better',
    '@@Gen.model(hide: true)',
    '@zod.email() @TypeGraphQL.omit(output: true)',
    '@prisma/client reads this',
    '@expected @accepted @excerpt @script @index @hidden',
    'encrypted by the application',
    'This field is encrypted.',
    '@',
  ])('takes %j for prose', (text) => {
    expect(readComment(text)).toBeNull()
  })

  it.each([
    ['@encrypt', 'Did you mean @encrypted?'],
    ['@Encrypted', 'Did you mean @encrypted?'],
    ['@ENCRYPTED', 'Did you mean @encrypted?'],
    ['@encryped', 'Did you mean @encrypted?'],
    ['@ecnrypted', 'Did you mean @encrypted?'],
    ['@encripted', 'Did you mean @encrypted?'],
    ['@encrypted-at-rest', 'Did you mean @encrypted?'],
    ['@@encrypted', 'Did you mean @encrypted?'],
    ['@sealed', 'Did you mean @encrypted?'],
    ['@encryption', 'Did you mean @encrypted?'],
    ['@encryption:mode', 'Did you mean @encrypted?'],
    ['the name, @encrypt', 'Did you mean @encrypted?'],
    ['@blindindex(email)', 'Did you mean @blindIndex?'],
    ['@blind_index(email)', 'Did you mean @blindIndex?'],
    ['@blindIdx(email)', 'Did you mean @blindIndex?'],
    ['@encryption:Hash(email)', 'Did you mean @encryption:hash?'],
    ['The name is @encrypted', 'in the middle'],
    ['- @encrypted', 'in the middle'],
    ['/ @encrypted', 'in the middle'],
    ['@encrypted @encrypted', 'in the middle'],
    ['@encrypted @blindIndex(email)', 'in the middle'],
    ['@encrypted (pad: 16)', 'looks like options'],
    ['@encrypted pad: 16', 'looks like options'],
    ['@encrypted: yes', 'looks like options'],
    ['@encrypted[pad]', 'looks like options'],
    ['@encrypted()?mode=strict', 'either in parentheses or'],
    ['@encrypted(pad: 16', 'cannot be read'],
    ['@encrypted(pad 16)', 'cannot be read'],
    ['@encrypted(pad: )', 'cannot be read'],
    ["@encrypted(keyring: 'a')", 'cannot be read'],
    ['@encrypted(16)', 'has no name'],
    ['@encrypted(strict)', 'has no name'],
    ['@encrypted(padd: 16)', 'Did you mean pad?'],
    ['@encrypted(mode: strict)', 'has no option mode'],
    ['@encrypted(constructor: strict)', 'has no option constructor'],
    ['@encrypted(pad: 16, pad: 16)', 'given twice'],
    ['@encrypted(pad: 1)', 'value of pad'],
    ['@encrypted(pad: 1.5)', 'value of pad'],
    ['@encrypted(pad: -16)', 'value of pad'],
    ['@encrypted(pad: 1e99)', 'value of pad'],
    ['@encrypted(pad: "16")', 'value of pad'],
    ['@encrypted(plaintext: "allow")', 'value of plaintext'],
    ['@encrypted(plaintext: yes)', 'value of plaintext'],
    ['@encrypted(seal: false)', 'value of seal'],
    ['@encrypted(seal: off, plaintext: refuse)', 'would then not read'],
    ['@encrypted(keyring: clinic)', 'value of keyring'],
    ['@encrypted(keyring: "Clinic")', 'value of keyring'],
    ['@encrypted(keyring: "")', 'value of keyring'],
    ['@encrypted(id: "email")', 'value of id'],
    ['@encrypted(bind: id)', 'value of bind'],
    ['@encrypted(bind: [])', 'value of bind'],
    ['@encrypted(bind: [id, id])', 'value of bind'],
    ['@encrypted?mode=foo', 'does not know'],
    ['@encrypted?with=junk', 'does not know'],
    ['@encrypted?strict&readonly', 'does not know'],
    ['@encryption:cursor', 'has no use here'],
    ['@encryption:hash', 'blind index cannot be read'],
    ['@encryption:hash(email)?algorithm=md5', 'always HMAC-SHA-256'],
    ['@blindIndex', 'blind index cannot be read'],
    ['@blindIndex(email, slot: 3)', 'blind index cannot be read'],
    ['@blindIndex(email, slot: 3)', 'the value of slot'],
    ['@blindIndex(email, normalize: lowercase)', 'the value of normalize'],
    ['@blindIndex(email, normalise: [trim])', 'no option normalise. Did you mean normalize?'],
    ['@blindIndex(email, unique: true)', 'no option unique.'],
    ['@blindIndex(email, slot: 2, slot: 2)', 'slot is given twice'],
    ['@blindIndex(email)?normalize=trim', 'either in parentheses or'],
    ['encrypted', 'could be a misspelt'],
    ['Encrypted(pad: 16)', 'could be a misspelt'],
    ['@ encrypted', 'could be a misspelt'],
  ])('refuses %s', (text, what) => {
    const reading = readComment(text)
    expect(reading).toMatchObject({ ok: false })
    expect(reading?.ok === false && reading.mistake.what).toContain(what)
    expect(reading?.ok === false && reading.mistake.fix).toMatch(/\.$/)
  })
})
