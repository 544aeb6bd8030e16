import { invalid } from "./json-cursor.ts";
import { choose, type FieldIn, type MessageIn } from "./json-reader.ts";
import { WireOut } from "./wire-out.ts";

/**
 * What the URL says of a message: fields that are encoded already, and overlays of messages within it. A reader writes them after what
 * the body says, so that the URL has the last word and nested messages are still written once.
 */
export interface Overlay {
  readonly message: MessageIn;
  /** Encoded fields, tags and all. */
  readonly parts: Buffer[];
  readonly nested: Map<FieldIn, Overlay>;
  /** Which member of each oneof is set, by the oneof's place. */
  readonly chosen: (FieldIn | undefined)[];
}

export function newOverlay(message: MessageIn): Overlay {
  return { message, parts: [], nested: new Map(), chosen: [] };
}

/** Writes all of it but `done`, the nested messages that are written already. */
export function writeOverlay(overlay: Overlay, out: WireOut, done?: ReadonlySet<FieldIn>): void {
  for (const part of overlay.parts) out.raw(part);
  for (const [field, nested] of overlay.nested) {
    if (done?.has(field)) continue;
    out.uint32(field.tag);
    const at = out.begin();
    writeOverlay(nested, out);
    out.end(at);
  }
}

/** The fields that a dotted path leads through, by either of their names; undefined if it leads nowhere. */
export function locate(message: MessageIn, path: string): FieldIn[] | undefined {
  const fields: FieldIn[] = [];
  let within: MessageIn | undefined = message;
  for (const name of path.split(".")) {
    const field: FieldIn | undefined = within?.byKey.get(name);
    if (field === undefined) return undefined;
    fields.push(field);
    within = field.message;
  }
  return fields;
}

/** Sets the field at the end of `fields` from what the URL says. Throws a JsonFault, without a path, if the field does not take it. */
export function setFromTexts(root: Overlay, fields: readonly FieldIn[], texts: readonly string[]): void {
  let overlay = root;
  for (const [depth, field] of fields.entries()) {
    if (field.field.oneof >= 0) choose(overlay.message.type, overlay.chosen, field);
    if (depth < fields.length - 1 && field.message !== undefined) {
      const nested: Overlay = overlay.nested.get(field) ?? newOverlay(field.message);
      overlay.nested.set(field, nested);
      overlay = nested;
    } else {
      if (field.fromTexts === undefined) throw invalid("cannot be given in a URL");
      scratch.reset();
      field.fromTexts(texts, scratch);
      overlay.parts.push(scratch.take());
    }
  }
}

const scratch = new WireOut();
