import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Env, startEnv } from "../../../test/env.ts";
import { eventually, restOf } from "../../../test/rest.ts";

// The page to which the links of mails lead, in a real browser: `make look-mails`.

const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const PICTURES = join(import.meta.dirname, "../../../.artefacts/mails");

describe.skipIf(!existsSync(CHROMIUM))("in Chromium", () => {
  let env: Env;
  let browser: Browser;
  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    env = await startEnv();
    // Chromium's own sandbox wants a user who is not root. It shows nothing but our page.
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(async () => {
    await browser?.close();
    await env?.stop();
  });

  test("one signs in, chooses which mails to get, and is signed out again", async () => {
    const credentials = { username: "ada@example.com", password: "seven purple herons" };
    const { accessToken } = (await restOf(env.rest)("POST", "/auth/signup", credentials)).body;
    const ada = restOf(env.rest, accessToken);
    await eventually(async () => (await ada("GET", "/email/preferences")).status === 200);
    const page = await browser.newPage({ viewport: { width: 375, height: 600 } });
    const faults: string[] = [];
    page.on("pageerror", (err) => faults.push(String(err)));
    await page.goto(`${env.rest}/account#mails`);
    await page.getByLabel("Username").fill(credentials.username);
    await page.getByLabel("Password", { exact: true }).fill("eight purple herons");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page
      .getByText(/password/i)
      .and(page.locator("#message.bad"))
      .waitFor();
    await page.getByLabel("Password", { exact: true }).fill(credentials.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    // A box that is still hidden is unchecked already.
    await page.getByText("Send me mails about").waitFor();
    await page.getByLabel(/my charges/).uncheck();
    expect(await page.getByLabel(/my reservations/).isChecked()).toBe(true);
    await page.screenshot({ path: join(PICTURES, "account-mails.narrow.png"), fullPage: true });
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved. You are signed out again.").waitFor();
    expect((await ada("GET", "/email/preferences")).body).toMatchObject({ charging: false, reservation: true, operation: true });
    expect((await ada("GET", "/auth/me/sessions")).body.sessions).toHaveLength(1);
    expect(faults).toEqual([]);
  });
});
