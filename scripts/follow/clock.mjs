// Moves the wall clock of a program DAYS_LATER days on, so that a waiting period can be waited for.
const ahead = Number(process.env.DAYS_LATER ?? 0) * 86_400_000
if (ahead > 0) {
  const Real = Date
  globalThis.Date = class extends Real {
    constructor(...values) {
      super(...(values.length === 0 ? [Real.now() + ahead] : values))
    }
    static now() {
      return Real.now() + ahead
    }
  }
}
