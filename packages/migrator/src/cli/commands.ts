import type { MigratorConfig } from '../config.ts'
import { drain } from '../drain/drain.ts'
import { planDrain } from '../drain/plan.ts'
import type { RunOptions } from '../engine/options.ts'
import { fenceStatements, unfenceStatements } from '../fence/statements.ts'
import { init, initStatements } from '../init.ts'
import { inspect } from '../inspect.ts'
import type { ReindexOptions } from '../reindex/options.ts'
import { planReindex } from '../reindex/plan.ts'
import { reindex } from '../reindex/reindex.ts'
import { rotate } from '../rotate.ts'
import { rotateIndex } from '../rotate-index.ts'
import { status } from '../status.ts'
import { verify } from '../verify.ts'
import { print } from './output.ts'
import { ProgressBars } from './progress.ts'
import * as render from './render.ts'
import { renderFence, renderUnfence } from './render-fence.ts'
import { renderReindex, renderReindexPlan, renderRotateIndex } from './render-indexes.ts'
import type { Interruption } from './signals.ts'

/** What a command leaves: a document for machines, the same for people, and the exit code. */
export interface Result {
  readonly document: object
  /** Goes to stderr. */
  readonly text: string
  /** SQL, goes to stdout in the place of the document. */
  readonly sql?: string
  readonly exitCode: number
}

/** What the command line gave. */
export interface Flags {
  readonly model?: readonly string[]
  readonly print?: boolean
  readonly keyring?: string
  readonly dryRun?: boolean
  readonly batchRows?: number
  readonly batchBytes?: number
  readonly maxPasses?: number
  readonly index?: boolean
  readonly offline?: boolean
  readonly now?: boolean
  readonly checkValues?: boolean
  /** Seconds. */
  readonly maxTransaction?: number
  readonly value?: string
  readonly drop?: boolean
}

export type Command = (
  config: MigratorConfig,
  flags: Flags,
  interruption: Interruption,
) => Promise<Result | null>

const EXIT = { done: 0, incomplete: 3 } as const

export const COMMANDS = {
  init: async (config, flags) => {
    if (flags.print === true) {
      await print(
        initStatements(config)
          .map((statement) => `${statement};\n`)
          .join('\n'),
      )
      return null
    }
    const report = await init(config)
    return { document: report, text: render.renderInit(report), exitCode: 0 }
  },

  status: async (config, flags) => {
    const report = await status(config, flags.model)
    return { document: report, text: render.renderStatus(report), exitCode: 0 }
  },

  rotate: async (config, flags, interruption) => {
    if (flags.index === true) return rotateIndexKey(config, flags, interruption)
    const report = await rotate(config, flags.keyring)
    return { document: report, text: render.renderRotate(report), exitCode: 0 }
  },

  drain: async (config, flags, interruption) => {
    const options = optionsOf(flags, interruption)
    if (flags.dryRun === true) {
      const plan = await planDrain(config, options)
      return { document: plan, text: render.renderPlan(plan), exitCode: 0 }
    }
    const bars = new ProgressBars()
    const report = await drain(config, { ...options, onEvent: bars.onEvent }).finally(bars.stop)
    return {
      document: report,
      text: render.renderDrain(report),
      exitCode: exitCodeOf(report, interruption),
    }
  },

  reindex: async (config, flags, interruption) => {
    const options = { ...optionsOf(flags, interruption), ...indexOptionsOf(flags) }
    if (flags.dryRun === true) {
      const plan = await planReindex(config, options)
      return { document: plan, text: renderReindexPlan(plan), exitCode: 0 }
    }
    const bars = new ProgressBars()
    const report = await reindex(config, { ...options, onEvent: bars.onEvent }).finally(bars.stop)
    return {
      document: report,
      text: renderReindex(report),
      exitCode: exitCodeOf(report, interruption),
    }
  },

  verify: async (config, flags, interruption) => {
    const options = optionsOf(flags, interruption)
    const bars = new ProgressBars()
    const report = await verify(config, { ...options, onEvent: bars.onEvent }).finally(bars.stop)
    return {
      document: report,
      text: render.renderVerify(report),
      exitCode: exitCodeOf(report, interruption),
    }
  },

  inspect: async (config, flags) => {
    const report = await inspect(config, flags.value ?? '')
    return { document: report, text: render.renderInspection(report), exitCode: 0 }
  },

  'ddl fence': async (config, { value, drop }) => {
    const keyId = keyIdOf(value)
    const statements =
      drop === true ? await unfenceStatements(config, keyId) : await fenceStatements(config, keyId)
    const sql = drop === true ? renderUnfence(statements) : renderFence(statements)
    return { document: statements, text: '', sql, exitCode: 0 }
  },
} satisfies Record<string, Command>

async function rotateIndexKey(
  config: MigratorConfig,
  { keyring, now }: Flags,
  interruption: Interruption,
): Promise<Result> {
  const report = await rotateIndex(config, {
    signal: interruption.signal,
    onEvent: new ProgressBars().onEvent,
    ...(keyring === undefined ? {} : { keyring }),
    ...(now === undefined ? {} : { now }),
  })
  return {
    document: report,
    text: renderRotateIndex(report),
    exitCode: exitCodeOf(report, interruption),
  }
}

function keyIdOf(value = ''): number {
  if (/^\d{1,10}$/.test(value)) return Number(value)
  throw new TypeError(
    `KEY must be a key id, a number such as 7: \`npx rowseal status\` lists them.`,
  )
}

function exitCodeOf(
  { outcome }: { readonly outcome: keyof typeof EXIT | 'stopped' },
  interruption: Interruption,
): number {
  return outcome === 'stopped' ? (interruption.exitCode ?? 1) : EXIT[outcome]
}

function optionsOf(flags: Flags, { signal }: Interruption): RunOptions {
  const { model: models, batchRows, batchBytes, maxPasses } = flags
  return {
    signal,
    ...(models === undefined ? {} : { models }),
    ...(batchRows === undefined ? {} : { batchRows }),
    ...(batchBytes === undefined ? {} : { batchBytes }),
    ...(maxPasses === undefined ? {} : { maxPasses }),
  }
}

function indexOptionsOf({ offline, now, checkValues, maxTransaction }: Flags): ReindexOptions {
  return {
    ...(offline === undefined ? {} : { offline }),
    ...(now === undefined ? {} : { now }),
    ...(checkValues === undefined ? {} : { checkValues }),
    ...(maxTransaction === undefined ? {} : { maxTransactionMs: maxTransaction * 1000 }),
  }
}
