import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Content, type Document, render } from "../../src/mail/document.ts";
import { type Language, languages } from "../../src/mail/language.ts";
import { templates } from "../../src/mail/templates/index.ts";
import type { Category } from "../../src/mail/templates/template.ts";

// Shows every mail in a real browser, as programs on desks and telephones do, and keeps a picture of each: `make look-mails`.

/** What is on the machine; we bring no browser. */
const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const PICTURES = join(import.meta.dirname, "../../../.artefacts/mails");
const inPage = readFileSync(join(import.meta.dirname, "in-page.js"), "utf8");

const views = [
  { view: "wide", width: 800, colorScheme: "light" },
  { view: "narrow", width: 375, colorScheme: "light" },
  { view: "dark", width: 800, colorScheme: "dark" },
  { view: "narrow-dark", width: 375, colorScheme: "dark" },
] as const;

/** What in-page.js answers. */
interface Seen {
  width: number;
  shown: string;
  faint: string[];
  bars: { width: number; height: number; contrast: number }[];
}

let browser: Browser;
beforeAll(async () => {
  if (!existsSync(CHROMIUM)) return;
  mkdirSync(PICTURES, { recursive: true });
  // Chromium's own sandbox wants a user who is not root. It shows nothing but our mails.
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
});
afterAll(() => browser?.close());

describe.skipIf(!existsSync(CHROMIUM))("in Chromium", () => {
  describe.each(views)("$view", ({ view, width, colorScheme }) => {
    let page: Page;
    const requests: string[] = [];
    beforeAll(async () => {
      const context = await browser.newContext({ viewport: { width, height: 600 }, colorScheme, offline: true });
      page = await context.newPage();
      page.on("request", (request) => requests.push(request.url()));
    });
    afterAll(() => page.context().close());

    const look = async ({ html }: Content, picture: string): Promise<Seen> => {
      await page.setContent(html);
      await page.screenshot({ path: join(PICTURES, `${picture}.${view}.png`), fullPage: true });
      return page.evaluate<Seen>(inPage);
    };
    const written = (document: Document, language: Language, category: Category = "CHARGING"): Content =>
      render(document, { language, unsubscribeUrl: category === "ACCOUNT" ? undefined : "https://charge.example/unsubscribe" });

    test.each(Object.values(templates))("$id can be read", async ({ id, category, preview }) => {
      for (const language of languages) {
        const document = preview(language);
        const { width: taken, shown, faint, bars } = await look(written(document, language, category), `${id}.${language}`);
        expect(taken).toBe(width);
        expect(faint).toEqual([]);
        expect(shown).toContain(document.subject);
        expect(shown).toContain(document.why);
        // What follows the line that only lists of mails show.
        expect(shown).not.toContain("\u034f");
        for (const bar of bars)
          expect([bar.height >= 17, bar.height <= 96, bar.width > 5, bar.contrast > 3]).toEqual([true, true, true, true]);
        expect(bars).toHaveLength(document.blocks.some((block) => typeof block === "object" && "chart" in block) ? 30 : 0);
      }
      expect(requests.filter((url) => !url.startsWith("data:") && url !== "about:blank")).toEqual([]);
    });

    test("names without an end, or of another direction, push nothing aside", async () => {
      const charge = templates.receipt.sample("en");
      for (const [name, username] of Object.entries({
        long: "W".repeat(500),
        arabic: "مرحبا بالعالم",
        "right-to-left": "\u202eevil\u202c",
      })) {
        const document = templates.receipt.write({ ...charge, username, chargerId: username }, "en");
        expect((await look(written(document, "en"), `name-${name}`)).width).toBe(width);
      }
    });
  });
});
