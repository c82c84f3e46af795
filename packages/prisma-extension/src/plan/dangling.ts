/** A model whose shape was checked, but not the names in it. */
export interface ModelShape {
  readonly key: readonly string[]
  readonly columns: Record<string, { type: string }>
  readonly relations: Record<string, RelationShape>
  readonly uniques: Record<string, readonly string[]>
  readonly sealed: Record<string, { type: string; list: boolean; bind: readonly string[] }>
  readonly indexes: Record<string, { field: string }>
  readonly constraints: Record<string, readonly string[]>
  readonly bound: Record<string, object>
}

interface RelationShape {
  readonly model: string
  readonly boundHere?: Record<string, string>
  readonly boundThere?: Record<string, string>
}

/** A name that leads nowhere: a field that is no column, a relation to a model that is not there; null if there is none. */
export function danglingName(model: ModelShape, models: Record<string, unknown>): string | null {
  const sealed = Object.entries(model.sealed)
  const fields = [
    model.key,
    ...Object.values(model.uniques),
    ...Object.values(model.constraints),
    ...sealed.map(([, { bind }]) => bind),
    Object.keys(model.indexes),
    Object.keys(model.bound),
  ]
  const noColumn = fields.flat().find((name) => !Object.hasOwn(model.columns, name))
  if (noColumn !== undefined) return `"${noColumn}" is no column`
  const otherType = sealed.find(([name, { type }]) => columnType(model, name) !== type)
  if (otherType !== undefined) return `"${otherType[0]}" is no column of the sealed type`
  const unsealed = Object.entries(model.indexes).find(
    ([, index]) => !isIndexable(model, index.field),
  )
  if (unsealed !== undefined) return `"${unsealed[0]}" is an index of no sealed String`
  const noModel = Object.values(model.relations).find((to) => !Object.hasOwn(models, to.model))
  if (noModel !== undefined) return `"${noModel.model}" is no model`
  const unread = boundNames(model).find((name) => !Object.hasOwn(model.bound, name))
  return unread === undefined ? null : `"${unread}" is not among the bound columns`
}

/** The columns of a model that something binds, whose values the plan must say how to read. */
function boundNames({ sealed, relations }: ModelShape): string[] {
  return [
    ...Object.values(sealed).flatMap(({ bind }) => bind),
    ...Object.values(relations).flatMap(({ boundHere = {}, boundThere = {} }) => [
      ...Object.keys(boundHere),
      ...Object.values(boundThere),
    ]),
  ]
}

function columnType(model: ModelShape, name: string): string | undefined {
  return Object.hasOwn(model.columns, name) ? model.columns[name]?.type : undefined
}

function isIndexable(model: ModelShape, field: string): boolean {
  const sealed = Object.hasOwn(model.sealed, field) ? model.sealed[field] : undefined
  return sealed?.type === 'String' && !sealed.list
}
