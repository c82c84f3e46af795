export { definePlan } from './define.ts'
export { checkPlan, digestOf } from './digest.ts'
export { PLAN_FORMAT } from './plan.ts'
export type {
  ColumnField,
  ModelSource,
  Plan,
  PlanSource,
  Provider,
  RelationField,
  SealedField,
  SealedName,
  SealedType,
} from './plan.ts'
