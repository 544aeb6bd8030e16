import type { Block, Document, Fact, Rendering } from "./document.ts";
import { LINK_MARK } from "./document.ts";
import { footerWords } from "./footer.ts";
import { oneLine } from "./one-line.ts";

/** RFC 5322 2.1.1: lines should be no longer. */
const WIDTH = 78;
/** What cannot stand beside its label in half a line stands under it. */
const LABEL_WIDTH_MAX = 30;

/** The document as plain text. Lines are at most 78 characters long, but for words and links that are longer. */
export function toText(document: Document, rendering: Rendering): string {
  return `${[...document.blocks.map(blockToText), footerToText(document, rendering)].join("\n\n")}\n`;
}

function footerToText({ why }: Document, { language, unsubscribeUrl, preferencesUrl }: Rendering): string {
  const words = footerWords[language];
  const link = (label: string, url: string | undefined): string[] => (url === undefined ? [] : [`${label}:`, url]);
  return ["--------", wrap(why), ...link(words.preferences, preferencesUrl), ...link(words.unsubscribe, unsubscribeUrl)].join("\n");
}

function blockToText(block: Block): string {
  if (typeof block === "string") return wrap(block);
  if ("linkTo" in block) return `${oneLine(block.linkTo)}:\n${block.url ?? LINK_MARK}`;
  if ("heading" in block) return `${oneLine(block.heading)}\n${"=".repeat(oneLine(block.heading).length)}`;
  if ("list" in block) return block.list.map((sentence) => wrap(sentence, "- ", "  ")).join("\n");
  if ("items" in block) return block.items.map(({ name, facts }) => `${oneLine(name)}\n${factsToText(facts, "  ")}`).join("\n\n");
  if ("chart" in block) return `${oneLine(block.chart.title)}:\n${wrap(block.chart.words)}`;
  return factsToText(block);
}

function factsToText(facts: readonly Fact[], indent = ""): string {
  const width = Math.min(LABEL_WIDTH_MAX, Math.max(...facts.map(([label]) => label.length)) + 2);
  return facts.map(([label, value]) => wrap(value, `${indent}${`${label}:`.padEnd(width)}`, `${indent}${" ".repeat(width)}`)).join("\n");
}

/** Breaks a text between words, so that lines fit if any can. */
function wrap(text: string, first = "", next = ""): string {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of oneLine(text).split(/ +/)) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line].join("\n");
}
