import { HtmlValidate, StaticConfigLoader } from "html-validate";
import { describe, expect, test } from "vitest";
import { type Block, type Content, type Document, LINK_MARK, type Rendering, render } from "../src/mail/document.ts";
import { type Language, languages, readLanguage } from "../src/mail/language.ts";
import { templates } from "../src/mail/templates/index.ts";

// What holds for every mail in every language, whatever it says.

const UNSUBSCRIBE = "https://charge.example/unsubscribe?token=a&b";
const PREFERENCES = "https://charge.example/account#mails";
/** Gmail shows no more of a mail, in bytes. */
const HTML_BYTES_MAX = 102_000;

const cases = Object.values(templates).flatMap((template) =>
  languages.map((language) => ({ id: template.id, language, document: template.preview(language) })),
);

/** All strings of a document that its reader sees. */
function stringsOf({ subject, blocks, why }: Document): string[] {
  return [subject, ...blocks.flatMap(stringsOfBlock), why];
}

function stringsOfBlock(block: Block): string[] {
  if (typeof block === "string") return [block];
  if ("linkTo" in block) return [block.linkTo];
  if ("heading" in block) return [block.heading];
  if ("list" in block) return [...block.list];
  if ("items" in block) return block.items.flatMap(({ name, facts }) => [name, ...facts.flat()]);
  if ("chart" in block) return [block.chart.title, block.chart.words];
  return block.flat();
}

const spaced = (text: string): string => text.replace(/[\s\u00a0]+/g, " ");
const entities: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** What a browser would show of HTML, on one line. */
function shownOf(html: string): string {
  const body = html.slice(html.indexOf("<body"));
  return spaced(body.replace(/<[^>]*>/g, " ").replace(/&([a-z]+|#39);/g, (all, name: string) => entities[name] ?? all));
}

const validator = new HtmlValidate(
  new StaticConfigLoader({
    extends: ["html-validate:recommended"],
    rules: {
      // Mail programs drop style sheets, and those that show mails with Word's engine take sizes and colours from attributes.
      "no-inline-style": "off",
      "no-conditional-comment": "off",
      "no-deprecated-attr": "off",
      "presentation-role-style": "off",
      "prefer-tbody": "off",
      // Names may be long.
      "long-title": "off",
    },
  }),
);

async function faultsOf(html: string): Promise<string[]> {
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) => messages.map(({ ruleId, message, line }) => `${line}: ${ruleId}: ${message}`));
}

describe.each(cases)("$id in $language", ({ language, document }) => {
  const content = render(document, { language, unsubscribeUrl: UNSUBSCRIBE, preferencesUrl: PREFERENCES });

  test("says the same as text and as HTML", () => {
    const text = spaced(content.text.replace(/^- /gm, ""));
    const shown = shownOf(content.html);
    for (const string of stringsOf(document)) {
      if (string !== document.subject) expect(text).toContain(spaced(string));
      expect(shown).toContain(spaced(string));
    }
    expect(content.text).toContain(`\n${UNSUBSCRIBE}\n`);
    expect(content.html).toContain(`href="${UNSUBSCRIBE.replace("&", "&amp;")}"`);
    expect(content.text).toContain(`\n${PREFERENCES}\n`);
    expect(content.html).toContain(`href="${PREFERENCES}"`);
    const hasLink = document.blocks.some((block) => typeof block === "object" && "linkTo" in block);
    expect([content.text.includes(LINK_MARK), content.html.includes(`href="${LINK_MARK}"`)]).toEqual([hasLink, hasLink]);
  });

  test("is HTML that mail programs show and that loads nothing", async () => {
    expect(await faultsOf(content.html)).toEqual([]);
    expect(content.html).toContain(`<html lang="${language}">`);
    expect(content.html).toContain('<meta name="color-scheme" content="light dark">');
    expect(content.html).not.toMatch(/<(script|img|link|iframe|object|svg|form|base)\b|url\(|@import|\bsrc=|\bon\w+=|srcset/i);
    expect(content.html.match(/<h1\b/g)).toHaveLength(1);
    expect(Buffer.byteLength(content.html)).toBeLessThan(HTML_BYTES_MAX);
    const [, preview] = /<div style="display:none[^>]*>([^&<]+)/.exec(content.html) ?? [];
    expect(preview?.length).toBeGreaterThan(10);
  });

  test("is text in lines that every mail program shows", () => {
    const tooLong = content.text.split("\n").filter((line) => line.length > 78 && /\S\s+\S/.test(line.trim()));
    expect(tooLong).toEqual([]);
    expect(content.text).not.toMatch(/[ \t]\n|\n{3}|[<>]|undefined|null|NaN|Invalid/);
    expect(content.subject).toBe(document.subject);
    expect(content.subject.length).toBeLessThanOrEqual(78);
  });
});

/** What is the same in both languages: names, figures, words that are. */
const SAME = /^(CP-\d|[\d.,: -]+|ada|4711|192\.0\.2\.7|Ground\w+|Over\w+|offline|https:\S+|[0-9a-f-]{36}|.*\bUTC|Webhook\S*)$/;

test.each(Object.values(templates))("nothing of $id is left in the other language", (template) => {
  const [english, german] = [template.preview("en"), template.preview("de")];
  const ofEnglish = new Set(stringsOf(english));
  expect(stringsOf(german).filter((string) => ofEnglish.has(string) && !SAME.test(string))).toEqual([]);
  expect(stringsOf(german).length).toBe(ofEnglish.size === 0 ? 0 : stringsOf(english).length);
  const text = (document: Document, language: Language) =>
    render(document, { language, unsubscribeUrl: UNSUBSCRIBE }).text.replace(LINK_MARK, "");
  expect(text(german, "de")).not.toMatch(/\b(the|you|your|and|of|with|is|this)\b/i);
  // One form of address.
  expect(text(german, "de")).not.toMatch(/\b(du|dein|deine|dir|dich)\b/i);
  expect(text(english, "en")).not.toMatch(/\b(Sie|Ihr|Ihre|und|der|die|das|ist)\b|[äöüß]/);
});

test("the language is that of the tag, or English", () => {
  expect(["de", "de-AT", "DE_ch", "en", "en-US", "fr", "", "deutsch", "constructor"].map(readLanguage)).toEqual([
    ...["de", "de", "de", "en", "en", "en", "en", "en", "en"],
  ]);
});

describe("names come from people and chargers", () => {
  const charge = (username: string, chargerId: string): Content => {
    const rendering: Rendering = { language: "en", unsubscribeUrl: UNSUBSCRIBE };
    return render(templates.receipt.write({ ...templates.receipt.sample("en"), username, chargerId }, "en"), rendering);
  };

  test("none can bring markup, lines or another reading direction", async () => {
    const evil = `</td><script>alert(1)</script>\r\nBcc: x@example.com\u2028\u202e"'&\u200f\u2067\ud800\0`;
    const { subject, text, html } = charge(evil, evil);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    for (const one of [subject, text, html]) expect(one).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
    for (const one of [subject, text, html]) expect(one.isWellFormed()).toBe(true);
    expect(subject).not.toContain("\n");
    expect(text).toContain("Hello </td><script>alert(1)</script> Bcc: x@example.com");
    expect(html).not.toContain("<script");
    expect(html).toContain("Hello &lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt; Bcc: x@example.com &quot;&#39;&amp;");
    expect(await faultsOf(html)).toEqual([]);
  });

  test("none is too long", async () => {
    const long = "W".repeat(500);
    const { subject, text, html } = charge(long, long);
    expect(subject).toBe(`Your charge at ${"W".repeat(134)}…`);
    expect(spaced(text)).toContain(`Hello ${long},`);
    expect(text.split("\n").filter((line) => line.length > 78)).toHaveLength(2);
    expect(html).toMatch(/overflow-wrap:anywhere/);
    expect(await faultsOf(html)).toEqual([]);
  });
});
