import type { Chart } from "./document.ts";
import { escapeHtml, ink } from "./html-style.ts";

/** The height of the highest bar, in px. */
const HEIGHT = 96;
const PLAIN = 'role="presentation" border="0" cellpadding="0" cellspacing="0" width="100%"';

/**
 * A chart of table cells. Mail programs show no SVG, and no image that must be fetched; an image inside the mail makes it ten times
 * larger, shows as an attachment in some and not at all where images are off, and stays bright in the dark. Cells show everywhere. What
 * they show stands below in words, so programs that read aloud skip them.
 */
export function chartToHtml({ title, words, bars, top, from, to }: Chart): string {
  const label = `font-size:13px;color:${ink.dim}`;
  return [
    `<h2 style="margin:24px 0 8px;font-size:17px;line-height:1.3;font-weight:bold">${escapeHtml(title)}</h2>`,
    '<div aria-hidden="true">',
    `<table ${PLAIN}><tr><td class="dim rule" style="${label};padding:0 0 2px;border-bottom:1px dashed ${ink.rule}">${escapeHtml(top)}</td></tr></table>`,
    `<table ${PLAIN} style="table-layout:fixed"><tr>`,
    ...bars.map(barToHtml),
    "</tr></table>",
    `<table ${PLAIN}><tr><td class="dim rule" style="${label};padding:2px 0 0;border-top:1px solid ${ink.rule}">${escapeHtml(from)}</td>`,
    `<td class="dim rule" align="right" style="${label};padding:2px 0 0;border-top:1px solid ${ink.rule}">${escapeHtml(to)}</td></tr></table>`,
    "</div>",
    `<p style="margin:8px 0 20px">${escapeHtml(words)}</p>`,
  ].join("\n");
}

/** Word takes the height of a row from its cell, and only from a cell without text. */
function barToHtml(bar: number): string {
  const height = Math.max(1, Math.round(bar * HEIGHT));
  const filled = `<td class="bar" bgcolor="${ink.bar}" height="${height}" style="height:${height}px;background-color:${ink.bar};font-size:0;line-height:0"></td>`;
  return `<td height="${HEIGHT}" valign="bottom" style="height:${HEIGHT}px;padding:0 1px"><table ${PLAIN}><tr>${filled}</tr></table></td>`;
}
