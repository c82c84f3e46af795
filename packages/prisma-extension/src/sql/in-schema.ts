import type { ModelSource, Plan, PlanSource } from '../plan/index.ts'

/**
 * The plan, with the schema that the client's adapter was given in every model that names none:
 * `new PrismaPg(config, { schema: 'clinic' })`. Prisma writes it before the names of tables, and no search path
 * changes that. SQL of ours must do the same, or it is about other tables of these names.
 *
 * Prisma does not promise that a client keeps its adapter, nor the adapter its options. Observed on 6.19 and 7.10.
 */
export function inSchemaOf<S extends PlanSource>(plan: Plan<S>, client: object): Plan<S> {
  const { schema } = (client as WithAdapter)._engineConfig?.adapter?.options ?? {}
  if (plan.provider !== 'postgresql' || typeof schema !== 'string') return plan
  const models = Object.create(null) as Record<string, ModelSource>
  for (const [name, model] of Object.entries(plan.models))
    models[name] = Object.freeze({ schema, ...model })
  return Object.freeze({ ...plan, models: Object.freeze(models) })
}

interface WithAdapter {
  readonly _engineConfig?: {
    readonly adapter?: { readonly options?: { readonly schema?: unknown } }
  }
}
