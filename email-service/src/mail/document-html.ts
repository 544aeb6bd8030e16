import type { Block, Document, Fact, Rendering } from "./document.ts";
import { LINK_MARK } from "./document.ts";
import { footerWords } from "./footer.ts";
import { oneLine, subjectOf } from "./one-line.ts";

const BODY = "margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif;color:#1c2733;background:#ffffff";
const LABEL = "padding:4px 24px 4px 0;text-align:left;font-weight:normal;color:#5b6875;vertical-align:top";

export function toHtml(document: Document, { language, unsubscribeUrl, preferencesUrl }: Rendering): string {
  const subject = escapeHtml(subjectOf(document));
  const words = footerWords[language];
  const link = (label: string, url: string | undefined): string =>
    url === undefined ? "" : `<p><a href="${escapeHtml(url)}">${label}</a></p>`;
  return [
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width"><title>${subject}</title></head>`,
    `<body style="${BODY}"><div style="max-width:36em;margin:0 auto">`,
    `<h1 style="font-size:20px">${subject}</h1>`,
    ...document.blocks.map(blockToHtml),
    `<p>${escapeHtml(document.why)}</p>${link(words.preferences, preferencesUrl)}${link(words.unsubscribe, unsubscribeUrl)}`,
    "</div></body></html>",
    "",
  ].join("\n");
}

function blockToHtml(block: Block): string {
  if (typeof block === "string") return `<p>${escapeHtml(block)}</p>`;
  if ("linkTo" in block) return `<p><a href="${escapeHtml(block.url ?? LINK_MARK)}">${escapeHtml(block.linkTo)}</a></p>`;
  if ("heading" in block) return `<h2>${escapeHtml(block.heading)}</h2>`;
  if ("list" in block) return `<ul>${block.list.map((sentence) => `<li>${escapeHtml(sentence)}</li>`).join("")}</ul>`;
  if ("items" in block) return block.items.map(({ name, facts }) => `<h3>${escapeHtml(name)}</h3>${factsToHtml(facts)}`).join("\n");
  if ("chart" in block) return `<p>${escapeHtml(block.chart.words)}</p>`;
  return factsToHtml(block);
}

function factsToHtml(facts: readonly Fact[]): string {
  const rows = facts.map(
    ([label, value]) => `<tr><th scope="row" style="${LABEL}">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table style="border-collapse:collapse">\n${rows.join("\n")}\n</table>`;
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
