/** Whether two texts are the same JSON value: members in any order, and numbers as a float holds them, whatever digits stand for them. */
export function isSameJson(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(json: string): string {
  return JSON.stringify(
    JSON.parse(json, (_key, value: unknown) => {
      if (typeof value === "number") return Math.fround(value);
      if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    }),
  );
}
