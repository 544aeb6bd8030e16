import { type RawBuilder, sql } from "kysely";
import { PLAUSIBLE_MAX } from "./meter-value.ts";
import type { Db, TransactionRow } from "./schema.ts";

/** How fast a transaction charged at one time. */
export interface PowerSample {
  time: Date;
  /** In W. */
  power_w: number;
}

/** Of each such part of a transaction's readings the lowest and the highest are kept: 60 samples, as many as a small chart has room for. */
const STRETCHES = 30;

/**
 * The course of power of a transaction that has stopped, oldest first, at most 60 samples. From what the charger says of power, if that is
 * more than one reading; else the mean from one reading of its energy register to the next. Empty if there is neither.
 */
export async function powerCurve(tx: Db, transaction: TransactionRow): Promise<PowerSample[]> {
  const said = await thinned(tx, powerOf(transaction));
  return said.length > 1 ? said : thinned(tx, meanPowerOf(transaction));
}

/** Charges take hours, and readings lie between start and stop by the same clock; without this every month there is would be looked through. */
const MARGIN = sql`interval '1 day'`;

function readingsOf({ id, start_time, stop_time }: TransactionRow): RawBuilder<unknown> {
  return sql`meter_value where transaction_id = ${id}
    and time >= least(${start_time}::timestamptz, ${stop_time}::timestamptz) - ${MARGIN}
    and time <= greatest(${start_time}::timestamptz, ${stop_time}::timestamptz) + ${MARGIN}`;
}

function powerOf(transaction: TransactionRow): RawBuilder<unknown> {
  return sql`select time, power_w from ${readingsOf(transaction)} and power_w is not null`;
}

/** Start and stop count too, unless the readings lie outside of them: some chargers count these anew from each start, and readings on. */
function meanPowerOf(transaction: TransactionRow): RawBuilder<unknown> {
  const { start_time, stop_time, meter_start_wh, meter_stop_wh } = transaction;
  return sql`
    with reading as (select time, energy_wh from ${readingsOf(transaction)} and energy_wh is not null),
      ends (time, energy_wh) as (values
        (${start_time}::timestamptz, ${meter_start_wh}::double precision), (${stop_time}::timestamptz, ${meter_stop_wh}::double precision)),
      register as (
        select time, energy_wh from reading
        union select time, energy_wh from ends where abs(energy_wh) <= ${PLAUSIBLE_MAX}::double precision and not exists (
          select from reading where (energy_wh between ${meter_start_wh}::double precision and ${meter_stop_wh}::double precision) is not true)),
      mean as (select time, 3600 * (energy_wh - lag(energy_wh) over earlier)
          / nullif(extract(epoch from time - lag(time) over earlier), 0)::double precision as power_w
        from register window earlier as (order by time, energy_wh))
    select time, power_w from mean where power_w >= 0`;
}

/** All samples if they are few, else the lowest and the highest of each stretch, so that peaks stay. */
async function thinned(tx: Db, samples: RawBuilder<unknown>): Promise<PowerSample[]> {
  const { rows } = await sql<PowerSample>`
    select time, round(power_w::numeric, 1)::double precision as power_w from (
      select time, power_w, row_number() over (partition by stretch order by power_w, time) as from_below,
        row_number() over (partition by stretch order by power_w desc, time desc) as from_above
      from (select time, power_w, ntile(${STRETCHES}) over (order by time, power_w) as stretch from (${samples}) as sample) as stretched
    ) as ranked where from_below = 1 or from_above = 1 order by time, power_w`.execute(tx);
  return rows;
}
