interface Range {
  readonly type: string;
  readonly quality: number;
}

/**
 * The media type of `offers` that an Accept header likes best (RFC 9110, 12.5.1); of equals, the first offered. Undefined if it takes
 * none of them. Without a header everything is taken.
 */
export function preferred<Offer extends string>(accept: string | undefined, offers: readonly Offer[]): Offer | undefined {
  if (accept === undefined || accept.trim() === "") return offers[0];
  const ranges = accept.split(",").map(toRange);
  let best: Offer | undefined;
  let quality = 0;
  for (const offer of offers) {
    const liked = qualityOf(offer, ranges);
    if (liked > quality) [best, quality] = [offer, liked];
  }
  return best;
}

function toRange(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = weight === undefined ? 1 : Number(weight.slice(2));
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

/** The most exact range that covers the type decides. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  for (const pattern of [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"]) {
    const range = ranges.find((candidate) => candidate.type === pattern);
    if (range !== undefined) return range.quality;
  }
  return 0;
}
