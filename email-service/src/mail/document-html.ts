import { chartToHtml } from "./chart-html.ts";
import { type Block, type Document, type Fact, LINK_MARK, type Rendering } from "./document.ts";
import { footerWords } from "./footer.ts";
import { escapeHtml, ink, styles } from "./html-style.ts";
import { subjectOf } from "./one-line.ts";

/**
 * The document as HTML that mail programs show: nothing is loaded and nothing runs, styles stand in the elements, and what Outlook's Word
 * engine must not get wrong (widths, the button, the chart) is tables.
 */
export function toHtml(document: Document, rendering: Rendering): string {
  const subject = escapeHtml(subjectOf(document));
  return [
    `<!DOCTYPE html>\n<html lang="${rendering.language}">\n<head>\n<meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">\n<meta name="supported-color-schemes" content="light dark">',
    `<title>${subject}</title>\n<style>\n${styles}\n</style>\n</head>`,
    `<body class="page" style="margin:0;padding:0;background-color:${ink.page};-webkit-text-size-adjust:100%">`,
    `<div style="display:none;font-size:1px;max-height:0;overflow:hidden">${escapeHtml(document.preview)}${PREVIEW_END}</div>`,
    `<table role="presentation" class="page" ${PLAIN} width="100%" style="background-color:${ink.page}"><tr>`,
    '<td align="center" style="padding:24px 12px">',
    // Word knows no max-width.
    `<!--[if mso]><table role="presentation" ${PLAIN} width="600"><tr><td><![endif]-->`,
    `<table role="presentation" ${PLAIN} width="100%" style="max-width:600px;font-family:${FONT};font-size:16px;line-height:1.5;text-align:left">`,
    `<tr><td class="dim" style="padding:0 8px 12px;font-size:14px;font-weight:bold;color:${ink.dim}">Chargemesh</td></tr>`,
    `<tr><td class="card ink" style="padding:32px 32px 16px;border-radius:8px;background-color:${ink.card};color:${ink.text};${BREAK}">`,
    `<h1 style="margin:0 0 20px;font-size:24px;line-height:1.25;font-weight:bold">${subject}</h1>`,
    ...document.blocks.map(blockToHtml),
    "</td></tr>",
    `<tr><td class="dim" style="padding:16px 8px 0;font-size:13px;color:${ink.dim}">`,
    ...footerToHtml(document, rendering),
    "</td></tr>\n</table>",
    "<!--[if mso]></td></tr></table><![endif]-->",
    "</td></tr></table>\n</body>\n</html>\n",
  ].join("\n");
}

const FONT = "'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
/** A name without a blank may be longer than a line. */
const BREAK = "overflow-wrap:anywhere;word-break:break-word";
const PLAIN = 'border="0" cellpadding="0" cellspacing="0"';
/** Mail programs show so many characters beside the subject that they would go on with the heading. */
const PREVIEW_END = "&#847;&zwnj;&nbsp;".repeat(40);
const PARAGRAPH = "margin:0 0 16px";

function footerToHtml({ why }: Document, { language, unsubscribeUrl, preferencesUrl }: Rendering): string[] {
  const words = footerWords[language];
  const links = [
    [words.preferences, preferencesUrl],
    [words.unsubscribe, unsubscribeUrl],
  ].flatMap(([label = "", url]) => (url === undefined ? [] : [footerLink(label, url)]));
  const line = links.length === 0 ? [] : [`<p style="margin:0 0 8px">${links.join(" &nbsp;·&nbsp; ")}</p>`];
  return [`<p style="margin:0 0 8px">${escapeHtml(why)}</p>`, ...line];
}

function footerLink(label: string, url: string): string {
  return `<a href="${escapeHtml(url)}" class="dim" style="color:${ink.dim};text-decoration:underline">${escapeHtml(label)}</a>`;
}

function blockToHtml(block: Block): string {
  if (typeof block === "string") return `<p style="${PARAGRAPH}">${escapeHtml(block)}</p>`;
  if ("linkTo" in block) return buttonToHtml(block.linkTo, block.url ?? LINK_MARK);
  if ("heading" in block) return headingToHtml(block.heading);
  if ("list" in block) {
    const sentences = block.list.map((sentence) => `<li style="margin:0 0 8px">${escapeHtml(sentence)}</li>`);
    return `<ul style="margin:0 0 16px;padding:0 0 0 20px">${sentences.join("\n")}</ul>`;
  }
  if ("items" in block) return block.items.map(({ name, facts }) => `${headingToHtml(name)}\n${factsToHtml(facts)}`).join("\n");
  if ("chart" in block) return chartToHtml(block.chart);
  return factsToHtml(block);
}

function headingToHtml(heading: string): string {
  return `<h2 style="margin:24px 0 8px;font-size:17px;line-height:1.3;font-weight:bold">${escapeHtml(heading)}</h2>`;
}

function buttonToHtml(label: string, url: string): string {
  const text = "display:inline-block;padding:12px 24px;font-weight:bold;color:#ffffff;text-decoration:none";
  return [
    `<table role="presentation" ${PLAIN} style="margin:8px 0 24px"><tr>`,
    `<td class="button" bgcolor="${ink.button}" style="border-radius:6px;background-color:${ink.button}">`,
    `<a href="${escapeHtml(url)}" style="${text}">${escapeHtml(label)}</a></td></tr></table>`,
  ].join("");
}

function factsToHtml(facts: readonly Fact[]): string {
  const label = `padding:8px 16px 8px 0;width:35%;text-align:left;font-weight:normal;vertical-align:top;border-top:1px solid ${ink.rule}`;
  const value = `padding:8px 0;vertical-align:top;border-top:1px solid ${ink.rule}`;
  const rows = facts.map(
    ([name, what]) =>
      `<tr><th scope="row" class="dim rule" style="${label};color:${ink.dim}">${escapeHtml(name)}</th>` +
      `<td class="rule" style="${value}">${escapeHtml(what)}</td></tr>`,
  );
  return `<table ${PLAIN} width="100%" style="margin:0 0 20px">\n${rows.join("\n")}\n</table>`;
}
