/** What happened at a charger, in short. */
export interface Line {
  chargerId: string;
  what: string;
}

/** What an event of a transaction tells, as the test knows it too. */
export function toldBy(event: { type: string; data: unknown }): Line {
  const { transaction } = event.data as { transaction: { id: string; chargerId: string; energyWh?: number } };
  const kind = event.type.slice(event.type.lastIndexOf(".") + 1);
  return { chargerId: transaction.chargerId, what: `${kind} ${transaction.id} ${transaction.energyWh ?? 0}` };
}
