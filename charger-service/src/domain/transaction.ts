import { AppError } from "@chargemesh/kit/errors";
import type { Db, TransactionRow } from "../db/schema.ts";
import { TRANSACTION_ID_MAX, transactionById } from "../db/transaction.ts";

/** A transaction by its number in decimal. NOT_FOUND if there is none, if it cannot be one or, with `userId`, if it is not that user's. */
export async function existingTransaction(db: Db, id: string, userId: string | undefined): Promise<TransactionRow> {
  const isNumber = /^[1-9]\d{0,9}$/.test(id) && Number(id) <= TRANSACTION_ID_MAX;
  const row = isNumber ? await transactionById(db, Number(id), userId) : undefined;
  if (row === undefined) throw new AppError("notFound", "TRANSACTION_NOT_FOUND", `No transaction ${id}.`);
  return row;
}
