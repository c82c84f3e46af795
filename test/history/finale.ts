import { destroyKey, drain, encrypt, reindex, retireKey, rotate, verify } from '@rowseal/migrator'
import { indexValue, normalize } from '@rowseal/prisma-extension/envelope'
import { setTimeout as sleep } from 'node:timers/promises'
import { DESTROY_WAIT_DAYS, inDays } from './clock.ts'
import { saidOf } from './errors.ts'
import type { Violation } from './checker/operation.ts'
import type { Instance } from './instance.ts'
import { quoted, textOf } from './observer.ts'
import { SEALED_COLUMNS, type Provider } from './schema.ts'

const PACE = { maxTransactionMs: 1000 }
const TRIES = 20

/** What was done when all was quiet, and what was found wrong then. */
export interface Finale {
  readonly violations: Violation[]
  readonly destroyed: number
  readonly rowsVerified: number
}

/** Bring everything to its end: nothing is stale, no former key is left, and every value opens. */
export async function finale(instance: Instance, provider: Provider): Promise<Finale> {
  const violations: Violation[] = []
  const demand = (isSo: boolean, what: string, shown: unknown = null): void => {
    if (!isSo) violations.push({ check: 'finale', what, shown: [shown] })
  }
  const { config, keyring } = instance
  await again(() => rotate(config))
  for (const [name, run] of Object.entries({ encrypt, drain, reindex })) {
    const report = await untilDone(() => run(config, PACE))
    demand(report.outcome === 'done', `${name} did not come to its end`, report)
  }
  const report: any = await again(() => verify(config))
  demand(report.outcome === 'done', 'verify did not come to its end', report)
  demand(report.bad === 0, `${report.bad} values do not open`, report)
  demand(report.badIndexes === 0, `${report.badIndexes} values of blind indexes are wrong`, report)
  const destroyed = await destroyFormer(instance, demand)
  demand(keyring.keys().length > 1, 'no key was ever replaced')
  for (const { keyId, state, wrappedKek } of keyring.keys())
    demand(state !== 'destroyed' || wrappedKek.length === 0, `key ${keyId} left a trace of its KEK`)
  violations.push(...(await checkStored(instance, provider)), ...(await checkIndexes(instance)))
  return { violations, destroyed, rowsVerified: report.rows ?? 0 }
}

type Demand = (isSo: boolean, what: string, shown?: unknown) => void

async function destroyFormer({ config, keyring }: Instance, demand: Demand): Promise<number> {
  const waitDays = DESTROY_WAIT_DAYS
  let destroyed = 0
  await keyring.refresh()
  for (const { keyId, state } of keyring.keys()) {
    if (state === 'active' || state === 'destroyed') continue
    if (state === 'suspended') await again(() => retireKey(config, keyId, { ...PACE, fence: true }))
    if (state === 'pre-activation') continue
    await again(() => destroyKey(config, keyId, { waitDays }))
    const report = await inDays(waitDays + 1, () =>
      again(() => destroyKey(config, keyId, { waitDays })),
    )
    demand(report.outcome === 'destroyed', `key ${keyId} was not destroyed`, report)
    destroyed++
  }
  await keyring.refresh()
  return destroyed
}

/** Every sealed value is under the active key. */
async function checkStored(instance: Instance, provider: Provider): Promise<Violation[]> {
  const { base, keyring } = instance
  const active = `rs1.${Number(keyring.activeKeyId).toString(16).padStart(8, '0')}.`
  const violations: Violation[] = []
  for (const column of SEALED_COLUMNS) {
    const text = textOf(column, provider)
    const rows: any[] = await base.$queryRawUnsafe(
      quoted(
        provider,
        `SELECT id FROM "${column.table}" WHERE "${column.column}" IS NOT NULL AND substr(${text}, 1, 13) <> '${active}'`,
      ),
    )
    if (rows.length === 0) continue
    const what = `${rows.length} values of ${column.model}.${column.field} are not under the active key`
    violations.push({ check: 'fences', what, shown: rows.slice(0, 3) })
  }
  return violations
}

/** Blind indexes computed anew, by a way that the migrator does not take; and what is unique as plaintext. */
async function checkIndexes({ base, prisma, keyring }: Instance): Promise<Violation[]> {
  const violations: Violation[] = []
  const complain = (what: string): void =>
    void violations.push({ check: 'blind indexes', what, shown: [] })
  const view = await keyring.index.view()
  const active = keyring.index.keys().find(({ state }: any) => state === 'active').keyId
  const hash = (column: string, names: any, text: string | null): string | null =>
    text === null ? null : indexValue(view.key(`Note.${column}`, active), normalize(names, text))
  const stored = new Map<number, any>((await base.note.findMany()).map((row: any) => [row.id, row]))
  const logins = new Map<string, number>()
  for (const { id, phone, login } of await prisma.note.findMany()) {
    const { phoneIndex, loginIndex, loginOther } = stored.get(id)
    if (phoneIndex !== hash('phoneIndex', ['digits'], phone)) complain(`Note ${id}: phoneIndex`)
    // One slot is under the active key and complete; the other is empty.
    const slots = [
      [loginIndex, hash('loginIndex', ['lowercase'], login), loginOther],
      [loginOther, hash('loginOther', ['lowercase'], login), loginIndex],
    ]
    const isRight = slots.some(([one, expected, other]) => one === expected && other === null)
    if (!isRight) complain(`Note ${id}: loginIndex and loginOther`)
    if (login === null) continue
    const other = logins.get(login.toLowerCase())
    if (other !== undefined) complain(`Notes ${id} and ${other} have the same login`)
    logins.set(login.toLowerCase(), id)
  }
  return violations
}

async function untilDone(run: () => Promise<any>): Promise<any> {
  for (let tries = 1; ; tries++) {
    const report = await again(run)
    if (report.outcome === 'done' || tries === TRIES) return report
  }
}

/** What may be sent again is sent again: whoever was killed last is only found to be gone after a while. */
async function again<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act()
    } catch (error) {
      if (!saidOf(error).isRetryable || tries === TRIES) throw error
      await sleep(1000)
    }
  }
}
