/** What comes, in lists of all that has come meanwhile, of `max` at most. Whoever stops before the end has to stop the source, too. */
export async function* inBatches<T>(source: AsyncGenerator<T, void, undefined>, max: number): AsyncGenerator<T[], void, undefined> {
  let next = source.next();
  // Fails where it is waited for, if it still is.
  next.catch(() => undefined);
  for (;;) {
    const first = await next;
    if (first.done === true) return;
    const batch = [first.value];
    let ended = false;
    while (!ended) {
      next = source.next();
      next.catch(() => undefined);
      const more = batch.length < max ? await Promise.race([next, nothingYet()]) : undefined;
      if (more === undefined || more.done === true) ended = true;
      else batch.push(more.value);
    }
    yield batch;
  }
}

function nothingYet(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined));
}
