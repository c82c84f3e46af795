// Makes aes-256-gcm.json out of two published files, which are not kept here:
//
//   gcmDecrypt256.rsp   NIST CAVP, "GCM Test Vectors" (CAVS 14.0, 31 August 2012): all 375 cases with an IV of 96 bits
//                       and a tag of 128; the valid ones are sealed too
//   aes_gcm_test.json   Project Wycheproof (C2SP/wycheproof, generator 0.8r12): all cases with a key of 256 bits; IVs of
//                       another length stand in `refuse`, since no envelope has one
//
//   node vectors/make-known-answers.mjs gcmDecrypt256.rsp aes_gcm_test.json
//
// Debian ships the first in python3-cryptography-vectors, the second in the sources of boringssl.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'

const FILE = new URL('./aes-256-gcm.json', import.meta.url)
const [rsp, json] = process.argv.slice(2).map((path) => readFileSync(path))
if (json === undefined) throw new Error('Give the two files.')
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

function cavp(text) {
  const cases = []
  let group = {}
  for (const block of text.replaceAll('\r', '').split('\n\n')) {
    const settings = [...block.matchAll(/^\[(\w+) = (\d+)\]$/gm)]
    if (settings.length > 0) group = Object.fromEntries(settings.map(([, k, v]) => [k, Number(v)]))
    if (!block.startsWith('Count') || group.IVlen !== 96 || group.Taglen !== 128) continue
    const of = Object.fromEntries(
      [...block.matchAll(/^(\w+) = ?(\w*)$/gm)].map(([, k, v]) => [k, v]),
    )
    const { Count, Key: key, IV: nonce, AAD: aad, CT: ciphertext, Tag: tag, PT } = of
    const name = `CAVP PTlen ${group.PTlen} AADlen ${group.AADlen} count ${Count}`
    const plaintext = /^FAIL$/m.test(block) ? null : PT
    cases.push({ name, key, nonce, aad, ciphertext, tag, plaintext })
  }
  return cases
}

function wycheproof({ testGroups }) {
  return testGroups
    .filter(({ keySize }) => keySize === 256)
    .flatMap(({ tests }) => tests)
    .map((t) => ({
      name: `Wycheproof ${t.tcId}${t.comment === '' ? '' : `: ${t.comment}`}`,
      key: t.key,
      nonce: t.iv,
      aad: t.aad,
      ciphertext: t.ct,
      tag: t.tag,
      plaintext: t.result === 'invalid' ? null : t.msg,
    }))
}

const all = [...cavp(rsp.toString('ascii')), ...wycheproof(JSON.parse(json))]
const fits = ({ nonce }) => nonce.length === 24
const lines = (cases) => `[\n${cases.map((c) => JSON.stringify(c)).join(',\n')}\n]`
writeFileSync(
  FILE,
  `{
"algorithm": "AES-256-GCM, nonce of 12 bytes, tag of 16",
"sources": {
"CAVP": "NIST CAVP GCM test vectors, gcmDecrypt256.rsp, SHA-256 ${sha256(rsp)}",
"Wycheproof": "Project Wycheproof (Apache-2.0), aes_gcm_test.json 0.8r12, SHA-256 ${sha256(json)}"
},
"cases": ${lines(all.filter(fits))},
"refuse": ${lines(all.filter((c) => !fits(c)))}
}
`,
)
