/** Whether an integer column can hold this. Chargers make up numbers that none can; those are nobody's. */
export function isStorable(number: number): boolean {
  return Number.isInteger(number) && number >= -(2 ** 31) && number < 2 ** 31;
}

/** The number nearest to this that an integer column can hold. */
export function nearestStorable(number: number): number {
  return Math.max(-(2 ** 31), Math.min(number, 2 ** 31 - 1));
}
