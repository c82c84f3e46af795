export { definePlan } from './define.ts'
export { checkPlan, digestOf } from './digest.ts'
export { NORMALIZERS, PLAN_FORMAT } from './plan.ts'
export type {
  BlindIndex,
  BoundArgument,
  BoundColumn,
  BoundType,
  ColumnField,
  IdFunction,
  IndexName,
  ModelSource,
  Normalizer,
  Plan,
  PlanSource,
  Provider,
  RelationField,
  SealedField,
  SealedName,
  SealedType,
} from './plan.ts'
