/** A label and what it stands before. */
export type Fact = readonly [label: string, value: string];

/** A place for a link that is known only when the mail is sent, and what it is for. */
export interface LinkPlace {
  linkTo: string;
}

/** What stands in the place of a link until then, and wherever people other than the recipient read the mail. No name has a blank in it. */
export const LINK_MARK = "[a link that only the recipient sees]";

/** What a mail says, in no language of markup: paragraphs and tables of facts. Templates make it; text and HTML are made from it. */
export interface Document {
  subject: string;
  blocks: readonly (string | readonly Fact[] | LinkPlace)[];
}

/** A document as it is sent. */
export interface Content {
  /** One line. */
  subject: string;
  text: string;
  html: string;
}

export function render(document: Document): Content {
  const subject = oneLine(document.subject);
  return { subject, text: toText(document), html: toHtml(subject, document) };
}

function toText({ blocks }: Document): string {
  return `${blocks.map(blockToText).join("\n\n")}\n`;
}

function blockToText(block: Document["blocks"][number]): string {
  if (typeof block === "string") return oneLine(block);
  return "linkTo" in block ? `${oneLine(block.linkTo)}:\n${LINK_MARK}` : factsToText(block);
}

function factsToText(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 2;
  return facts.map(([label, value]) => `${`${label}:`.padEnd(width)}${oneLine(value)}`).join("\n");
}

const BODY = "margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1c2733;background:#ffffff";
const LABEL = "padding:4px 24px 4px 0;text-align:left;font-weight:normal;color:#5b6875;vertical-align:top";

function toHtml(subject: string, { blocks }: Document): string {
  const body = blocks.map(blockToHtml);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>`,
    `<body style="${BODY}"><div style="max-width:36em;margin:0 auto">`,
    `<h1 style="font-size:20px">${escapeHtml(subject)}</h1>`,
    ...body,
    "</div></body></html>",
    "",
  ].join("\n");
}

function blockToHtml(block: Document["blocks"][number]): string {
  if (typeof block === "string") return `<p>${escapeHtml(block)}</p>`;
  return "linkTo" in block ? `<p><a href="${LINK_MARK}">${escapeHtml(block.linkTo)}</a></p>` : factsToHtml(block);
}

function factsToHtml(facts: readonly Fact[]): string {
  const rows = facts.map(
    ([label, value]) => `<tr><th scope="row" style="${LABEL}">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table style="border-collapse:collapse">\n${rows.join("\n")}\n</table>`;
}

/** Names and ids come from people and chargers: none may end a line, or turn the reading direction of what follows. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ").trim();
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
