// Makes the SDKs under clients/ from the protos: all of them, or those that are named. One whose toolchain is not here is left out, visibly.

import { type Sdk, sdks } from "./sdk/generate.ts";

const all: [language: string, sdk: Sdk][] = Object.entries(sdks);
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.some(([language]) => language === name));
if (unknown.length > 0) throw new Error(`there is no SDK for ${unknown.join(", ")}; there is ${Object.keys(sdks).join(", ")}`);

const wanted = all.filter(([language]) => named.length === 0 || named.includes(language));
await Promise.all(
  wanted.map(async ([language, sdk]) => {
    const missing = await sdk.missing();
    if (missing !== undefined) return console.log(`clients/${language}: SKIPPED, ${missing}`);
    console.log(`clients/${language}: generating`);
    await sdk.generate();
    console.log(`clients/${language}: generated`);
  }),
);
