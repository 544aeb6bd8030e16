import { describe, expect, test } from "vitest";
import { type Content, type Document, render } from "../src/mail/document.ts";
import { type Language, languages } from "../src/mail/language.ts";
import type { Charge } from "../src/mail/templates/charge.ts";
import { templates } from "../src/mail/templates/index.ts";
import type { NoticeKind } from "../src/mail/templates/security-notice.ts";

// What single mails say, from data that are whole, and from data that lack what chargers and people leave out.

const written = (document: Document, language: Language = "en"): Content => render(document, { language });
const spaced = (text: string): string => text.replace(/\s+/g, " ");
const barsOf = ({ html }: Content): number[] =>
  [...html.matchAll(/<td class="bar"[^>]* height="(\d+)"/g)].map(([, height]) => Number(height));
const sample = templates.receipt.sample("en");
const receipt = (charge: Partial<Charge>, language: Language = "en"): Content =>
  written(templates.receipt.write({ ...sample, ...charge }, language), language);

describe("a receipt", () => {
  test.each([
    ["en", "Your charge at CP-1: 8.412 kWh", ["8.412 kWh", "1 hour, 2 minutes, 3 seconds", "3 November 2026 at 17:05:09 UTC"], "11.0 kW"],
    [
      "de",
      "Ihr Ladevorgang an CP-1: 8,412 kWh",
      ["8,412 kWh", "1 Stunde, 2 Minuten und 3 Sekunden", "3. November 2026 um 17:05:09 UTC"],
      "11,0 kW",
    ],
  ] as const)("has its figures as one writes them in %s", (language, subject, figures, top) => {
    const content = receipt({}, language);
    expect(content.subject).toBe(subject);
    for (const figure of figures) {
      expect(content.text).toContain(` ${figure}\n`);
      expect(content.html).toContain(`>${figure}</td>`);
    }
    expect(content.text).toContain(top);
    expect(content.html).toContain(`>${top}</td>`);
  });

  test("draws the course of power, from cells that anybody sees, and tells it in words", () => {
    const content = receipt({});
    const bars = barsOf(content);
    expect(bars).toHaveLength(30);
    expect([Math.max(...bars), bars[0], bars.at(-1)]).toEqual([96, 70, 17]);
    expect(content.text).toContain("At most 11.0 kW, at 17:16 UTC; 1.8 kW at the end.");
    expect(content.html).toMatch(/>17:09 UTC<.*\n.*>18:07 UTC</);
  });

  const at = (minute: number, powerW: number) => ({ time: new Date(Date.UTC(2026, 10, 3, 17, minute)), powerW });
  test.each([
    { powerCurve: [at(0, 0), at(30, 6000)], bars: [2, 94] },
    { powerCurve: [at(0, 6000), at(30, 6000)], bars: [96, 96] },
    { powerCurve: [at(0, 6000), at(29, 6000), at(30, -500)], bars: [96, 44] },
    { powerCurve: [at(0, 6000), at(15, 0), at(15, 3000), at(30, 3000)], bars: [93, 48] },
    { powerCurve: [at(0, 6000), at(10, Number.NaN), at(30, 6000)], bars: [96, 96] },
    { powerCurve: Array.from({ length: 60 }, (_, i) => at(i, i)), bars: [2, 94] },
  ])("draws also $powerCurve", ({ powerCurve, bars }) => {
    const drawn = barsOf(receipt({ powerCurve }));
    expect([drawn.length, drawn[0], drawn.at(-1)]).toEqual([30, ...bars]);
  });

  test.each([
    { powerCurve: [] },
    { powerCurve: [at(0, 6000)] },
    { powerCurve: [at(0, 6000), at(0, 3000)] },
    { powerCurve: [at(0, 0), at(30, 0)] },
    { powerCurve: sample.powerCurve, clockIsWrong: true },
  ])("draws nothing where there is nothing to draw: $powerCurve.length", (charge) => {
    const content = receipt(charge);
    expect(barsOf(content)).toEqual([]);
    expect(content.text).not.toContain("Power over time");
    expect(content.text).toContain("8.412 kWh");
  });

  test("says what is not known", () => {
    const nothing = {
      startTime: undefined,
      stopTime: undefined,
      energyWh: undefined,
      powerCurve: [],
      clockIsWrong: true,
      stopIsMissing: true,
    };
    for (const [language, unknown, remarks] of [
      ["en", "unknown", ["do not fit together", "clock was wrong", "did not report the end"]],
      ["de", "unbekannt", ["passen nicht zusammen", "ging falsch", "nicht gemeldet"]],
    ] as const) {
      const { subject, text, html } = receipt(nothing, language);
      expect(subject).toMatch(language === "en" ? /: receipt$/ : /: Beleg$/);
      expect(text.match(new RegExp(` ${unknown}$`, "gm"))).toHaveLength(4);
      for (const remark of remarks) expect(spaced(text)).toContain(remark);
      expect(text + html).not.toMatch(/undefined|NaN|Invalid/);
    }
  });
});

describe("what broke a charge off", () => {
  const interrupted = (stopReason: string, language: Language) =>
    written(templates["charging-interrupted"].write({ ...sample, stopReason }, language), language);
  // OCPP 1.6, 7.36 Reason, and 2.0.1, 3.73 ReasonEnumType: those that nobody there may have wanted.
  const reasons = [
    ...["DeAuthorized", "EVDisconnected", "EmergencyStop", "HardReset", "PowerLoss", "Reboot", "SoftReset", "UnlockCommand"],
    ...["GroundFault", "ImmediateReset", "LocalOutOfCredit", "OvercurrentFault", "PowerQuality", "Timeout"],
  ];

  test.each(languages)("is said in plain words in %s, with what to do and how far it came", (language) => {
    const unknown = interrupted("Other", language).text;
    for (const stopReason of reasons) {
      const { text } = interrupted(stopReason, language);
      expect(text).not.toBe(unknown);
      expect(text).not.toContain(stopReason);
      expect(spaced(text)).toContain(language === "en" ? "had taken 8.412 kWh." : "8,412 kWh geladen.");
    }
    for (const stopReason of ["", "Martians", "constructor"]) expect(interrupted(stopReason, language).text).toBe(unknown);
  });

  test("says so without the energy, too", () => {
    const { text } = written(templates["charging-interrupted"].write({ ...sample, energyWh: undefined, stopReason: "PowerLoss" }, "en"));
    expect(text).toContain("lost its power supply");
    expect(text).not.toContain("had taken");
  });
});

describe("a security notice", () => {
  const kinds: NoticeKind[] = [
    ...(["PASSWORD_CHANGED", "EMAIL_CHANGED", "LOCKED_OUT"] as const),
    ...(["REFRESH_TOKEN_REUSED", "API_KEY_CREATED", "ACCOUNT_DELETED"] as const),
  ];
  test.each(kinds)("of %s says when and from where, as far as it is known", (kind) => {
    const data = { kind, username: "ada", time: undefined, remoteAddress: "" };
    for (const [language, unknown] of [
      ["en", "unknown"],
      ["de", "unbekannt"],
    ] as const) {
      expect(
        written(templates["security-notice"].write(data, language), language).text.match(new RegExp(` ${unknown}$`, "gm")),
      ).toHaveLength(2);
      const known = { ...data, time: new Date("2026-11-03T17:05:09Z"), remoteAddress: "2001:db8::7" };
      expect(written(templates["security-notice"].write(known, language), language).text).toMatch(/17:05:09 UTC\n.* 2001:db8::7\n/);
    }
  });

  test.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux", "Firefox auf Linux"],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile/1 Safari/604.1",
      "Safari on iPhone",
      "Safari auf iPhone",
    ],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0", "Edge on Windows", "Edge auf Windows"],
    ["Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/141.0 Mobile Safari/537.36", "Chrome on Android", "Chrome auf Android"],
    ["curl/8.14.1", "curl/8.14.1", "curl/8.14.1"],
    ["", "unknown", "unbekannt"],
  ])("of a new sign-in names the device %j", (userAgent, english, german) => {
    const data = { ...templates["new-sign-in"].sample("en"), userAgent };
    expect(written(templates["new-sign-in"].write(data, "en")).text).toMatch(new RegExp(`^Device: +${english}$`, "m"));
    expect(written(templates["new-sign-in"].write(data, "de"), "de").text).toMatch(new RegExp(`^Gerät: +${german}$`, "m"));
  });
});

describe("a digest", () => {
  const [first, second] = templates["charger-faulted"].sample("en").chargers;
  if (first === undefined || second === undefined) throw new Error("the sample has two chargers");
  const digest = (chargers: readonly (typeof first)[], language: Language = "en") =>
    written(templates["charger-faulted"].write({ username: "ada", chargers }, language), language);

  test("names one charger in its subject, and counts several", () => {
    expect(digest([first]).subject).toBe("Charger CP-1 reports a fault");
    expect(digest([first, second]).subject).toBe("2 chargers report faults");
    expect(digest([first], "de").subject).toBe("Ladestation CP-1 meldet eine Störung");
    expect(digest([first, second], "de").subject).toBe("2 Ladestationen melden Störungen");
  });

  test("says of each how often, when first and last, which errors, and what is now", () => {
    const { text } = digest([first, second]);
    expect(text).toContain(
      "CP-1\n  Connector:   2\n  Error code:  GroundFailure\n  First fault: 3 November 2026 at 17:05:09 UTC\n  Now:         faulty\n",
    );
    expect(text).toMatch(/^CP-2\n {2}Connector: {3}the whole charger and 1\n {2}Error code: {2}OverVoltage and PowerMeterFailure\n/m);
    expect(text).toMatch(/First fault: .* 17:01:40 UTC\n {2}Last fault: {2}.* 17:14:02 UTC\n {2}How often: {3}7\n {2}Now: {9}works again/);
    expect(digest([{ ...first, connectorIds: [], errorCodes: [] }]).text).toContain("CP-1\n  First fault:");
  });

  test("of very many stays a mail that is shown whole", () => {
    const many = Array.from({ length: 1_234 }, (_, i) => ({ ...second, chargerId: `CP-${i}` }));
    const { subject, text, html } = digest(many);
    expect(subject).toBe("1,234 chargers report faults");
    expect(text).toContain("1,194 more chargers are not listed here.");
    expect(digest(many, "de").text).toContain("1.194 weitere Ladestationen sind hier nicht aufgeführt.");
    expect(digest(many.slice(0, 41)).text).toContain("One more charger is not listed here.");
    expect(digest(many.slice(0, 40)).text).not.toContain("not listed");
    expect(Buffer.byteLength(html)).toBeLessThan(102_000);
  });
});

describe("a webhook that was disabled", () => {
  const about = (reason: string, failingTime = templates["webhook-disabled"].sample("en").failingTime) =>
    written(templates["webhook-disabled"].write({ ...templates["webhook-disabled"].sample("en"), reason, failingTime }, "en"));

  test("can be enabled again, and has what it missed sent again", () => {
    const { text, html } = about("FAILING");
    const id = "0b5ffd2e-7c11-4b0e-9d6e-6f0a5b1c2d3e";
    expect(spaced(text)).toContain(`POST /ocpp/webhooks/${id}:enable`);
    expect(spaced(text)).toContain(`POST /ocpp/webhooks/${id}:replay with {"startTime":"2026-11-02T17:05:09.000Z"}`);
    expect(text).toContain("Failing since: 2 November 2026 at 17:05:09 UTC");
    expect(html).toContain(">https://example.com/hooks/chargemesh</td>");
  });

  test.each([
    ["GONE", "410 Gone"],
    ["OWNER_DEMOTED", "ask an administrator"],
    ["OWNER_DISABLED", "ask an administrator"],
    ["WHATEVER", "no more events to your webhook"],
  ])("because of %s says so", (reason, words) => {
    expect(spaced(about(reason, undefined).text)).toContain(words);
  });
});

test("a reservation of any connector says so", () => {
  const data = { ...templates["reservation-expiring"].sample("en"), connectorId: 0, expireTime: undefined };
  expect(written(templates["reservation-expiring"].write(data, "en")).text).toMatch(/Connector: +any\nKept until: +unknown/);
  expect(written(templates["reservation-expiring"].write(data, "de"), "de").text).toMatch(
    /Anschluss: +beliebig\nFreigehalten bis: +unbekannt/,
  );
});
