import { randomBytes } from "node:crypto";
import { fit, readBasic } from "charger-service/src/domain/basic-auth.ts";
import { hashPassword } from "charger-service/src/domain/password.ts";

// `make bench-door`: how many passwords of chargers one core checks in a second, from the header to the verdict.

const ROUNDS = 7;
const ROUND_MS = Number(process.env.ROUND_MS ?? 1_000);
const ID = "CP-0001";

const password = randomBytes(20);
const digits = password.toString("hex");
const current = hashPassword(password);
const other = hashPassword(randomBytes(20));
const header = (shown: Buffer): string => `Basic ${Buffer.concat([Buffer.from(`${ID}:`), shown]).toString("base64")}`;

const cases: Record<string, { authorization: string; hashes: Buffer[]; fits: boolean }> = {
  right: { authorization: header(password), hashes: [current], fits: true },
  wrong: { authorization: header(randomBytes(20)), hashes: [current], fits: false },
  "digits as text": { authorization: header(Buffer.from(digits)), hashes: [current], fits: true },
  "the newest of five": { authorization: header(password), hashes: [other, other, other, other, current], fits: true },
};

/** How many checks a second of processor time allows, in one round: what else runs on the machine does not count. */
function round({ authorization, hashes, fits }: (typeof cases)[string]): number {
  const start = process.cpuUsage();
  let count = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 1_000; i++) {
      const shown = readBasic(authorization);
      if ((shown !== undefined && fit(shown, ID, hashes) !== undefined) !== fits) throw new Error("the verdict is wrong");
    }
    count += 1_000;
    const { user, system } = process.cpuUsage(start);
    elapsed = (user + system) / 1_000;
  } while (elapsed < ROUND_MS);
  return (count / elapsed) * 1_000;
}

const figures = Object.entries(cases).map(([name, one]) => {
  round(one);
  const rates = Array.from({ length: ROUNDS }, () => round(one)).sort((a, b) => a - b);
  return [name, Math.round(rates[(ROUNDS - 1) / 2] ?? 0)] as const;
});
for (const [name, rate] of figures) console.log(`${name.padEnd(20)}${rate.toLocaleString("en")}/s`);
console.log(JSON.stringify(Object.fromEntries(figures)));
