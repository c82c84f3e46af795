import { isIndexKeyring } from '@rowseal/prisma-extension/keys'
import type { StateReport } from '../keys/suspend.ts'

const STOPPED =
  'Stopped: the key is active still, and the one that takes over is stored. The same command goes on.'

/** What became of key versions, for people. */
export function renderState(report: StateReport): string {
  if (report.outcome === 'stopped') return STOPPED
  const { keyring, keys } = report
  const next = isIndexKeyring(keyring)
    ? 'New values of blind indexes are under the active key, of unique ones once these were moved. Next, to move all: npx rowseal reindex'
    : 'New values are under the active key. Next, to move the others: npx rowseal drain'
  return [
    ...keys.map(({ keyId, version, state }) => sentence(keyring, keyId, version, state)),
    next,
  ].join('\n')
}

export function renderCompromise(report: StateReport): string {
  if (report.outcome === 'stopped') return STOPPED
  const { keyring, keys, indexes } = report
  const leaked = keys.filter(({ state }) => state === 'compromised').map(({ keyId }) => keyId)
  const isIndex = isIndexKeyring(keyring)
  const ids = leaked.length === 1 ? `key ${leaked[0]!}` : `keys ${leaked.join(', ')}`
  const steps = isIndex
    ? [
        `1. npx rowseal reindex    makes the values of these blind indexes anew: ${indexes.join(', ')}.`,
        '   Until then whoever has the key can compare guesses with them.',
      ]
    : [
        `1. npx rowseal drain      re-encrypts every value under ${ids}; until then who has the key reads them.`,
        '   What somebody sealed with the leaked key meanwhile is genuine to Rowseal, and stays.',
      ]
  const destroy = leaked.map((keyId) => `npx rowseal keys destroy ${keyId}`)
  return [
    ...keys.map(({ keyId, version, state }) => sentence(keyring, keyId, version, state)),
    'Now, in this order:',
    ...steps,
    `2. ${destroy.join('; ')}    once no value names it.`,
    isIndex
      ? 'If an instance leaked, so did the keys that it seals with: compromise those too (npx rowseal keys list).'
      : 'If an instance leaked, so did its index keys: compromise those too (npx rowseal keys list).',
    'Values that were copied before are lost: no re-encryption brings them back.',
  ].join('\n')
}

function sentence(keyring: string, keyId: number, version: number, state: string): string {
  return `Keyring "${keyring}": key ${keyId} (version ${version}) is ${state}.`
}
