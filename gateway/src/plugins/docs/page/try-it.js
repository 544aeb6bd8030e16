import { h, labelled } from "./dom.js";
import { exampleOf } from "./example.js";
import { resolve, typeWords } from "./schema.js";
import { accessToken } from "./session.js";

/** What is shown of an answer at most, in characters: a stream may go on for days. */
const SHOWN_MAX = 200_000;

/** A form that calls an operation, and shows what comes back. */
export function tryIt(doc, { method, path, operation }) {
  const inputs = (operation.parameters ?? []).map((parameter) => ({ parameter, ...parameterInput(doc, parameter) }));
  const body = bodyInput(doc, operation.requestBody);
  const types = Object.keys(resolve(doc, operation.responses["200"])?.content ?? { "application/json": {} });
  const accept = h(
    "select",
    {},
    types.map((type) => h("option", {}, type)),
  );
  const request = () => ({
    method: method === "*" ? "GET" : method.toUpperCase(),
    url: new URL(`.${urlOf(path, inputs)}`, new URL(doc.servers?.[0]?.url ?? "/", document.baseURI)).href,
    headers: { accept: accept.value, ...(body?.value && { "content-type": body.type }), ...headersOf(inputs) },
    body: body?.value || undefined,
  });
  const curl = h("pre", { class: "curl" });
  const output = h("div", { class: "answer", role: "status" });
  const send = h("button", { type: "submit" }, "Send");
  const stop = h("button", { type: "button", class: "plain", hidden: true }, "Stop");
  const showCurl = () => {
    curl.textContent = curlOf(request(), operation.security?.length > 0);
  };
  const onsubmit = async (event) => {
    event.preventDefault();
    const controller = new AbortController();
    stop.onclick = () => controller.abort();
    [send.disabled, stop.hidden] = [true, false];
    await call(request(), output, controller.signal);
    [send.disabled, stop.hidden] = [false, true];
  };
  const form = h(
    "form",
    { class: "try", onsubmit, oninput: showCurl, "aria-label": "Try it" },
    h("h2", {}, "Try it"),
    inputs.map(({ field }) => field),
    body?.field,
    types.length > 1 && labelled("accept", accept),
    h("div", { class: "buttons" }, send, stop),
    output,
    h("details", {}, h("summary", {}, "As a command"), curl),
  );
  // A button that fills in the body says so too.
  form.addEventListener("filled", showCurl);
  showCurl();
  return form;
}

function parameterInput(doc, parameter) {
  const { name, in: place, required = false } = parameter;
  const schema = resolve(doc, parameter.schema ?? parameter.content?.["application/json"]?.schema);
  const options = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  const isList = schema.type === "array";
  const input = options
    ? h(
        "select",
        { required },
        h("option", { value: "" }, ""),
        options.map((value) => h("option", {}, value)),
      )
    : h(isList ? "textarea" : "input", { required, autocomplete: "off", spellcheck: "false", ...(isList && { rows: "2" }) });
  const help = isList ? `One a line: ${typeWords(doc, schema.items)}` : undefined;
  const label = h("span", {}, h("code", {}, name), ` ${place}`, required && h("span", { class: "required" }, " required"));
  const values = () => (isList ? input.value.split("\n") : [input.value]).filter((value) => value !== "");
  return { field: labelled(label, input, help), values };
}

function bodyInput(doc, requestBody) {
  const [[type, { schema } = {}] = []] = Object.entries(requestBody?.content ?? {});
  if (type === undefined) return undefined;
  const text = h("textarea", { rows: "8", spellcheck: "false", autocomplete: "off" });
  const fill = (onlyRequired) => {
    text.value = schema ? JSON.stringify(exampleOf(doc, schema, onlyRequired), null, 2) : "";
    text.dispatchEvent(new Event("filled", { bubbles: true }));
  };
  const button = (label, onlyRequired) => h("button", { type: "button", class: "plain", onclick: () => fill(onlyRequired) }, label);
  fill(true);
  return {
    field: [
      labelled(`body, ${type}`, text),
      schema && h("div", { class: "buttons" }, button("What is required", true), button("Everything", false)),
    ],
    type: type === "*/*" ? "application/octet-stream" : type,
    get value() {
      return text.value.trim();
    },
  };
}

function headersOf(inputs) {
  const given = inputs.filter(({ parameter, values }) => parameter.in === "header" && values().length > 0);
  return Object.fromEntries(given.map(({ parameter, values }) => [parameter.name.toLowerCase(), values()[0]]));
}

function urlOf(path, inputs) {
  const inPath = new Map(inputs.filter(({ parameter }) => parameter.in === "path").map((input) => [input.parameter.name, input]));
  const filled = path.replace(/\{([^}]*)\}/g, (whole, name) => {
    const { parameter, values } = inPath.get(name) ?? {};
    const encoded = values?.().map((value) =>
      parameter["x-multi-segment"] ? value.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(value),
    );
    return encoded?.length > 0 ? encoded.join(",") : whole;
  });
  const query = inputs
    .filter(({ parameter }) => parameter.in === "query")
    .flatMap(({ parameter, values }) => values().map((value) => `${encodeURIComponent(parameter.name)}=${encodeURIComponent(value)}`));
  return query.length > 0 ? `${filled}?${query.join("&")}` : filled;
}

function curlOf({ method, url, headers, body }, needsToken) {
  const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  if (needsToken) lines.push('-H "authorization: Bearer $TOKEN"');
  if (body) lines.push(`-d ${quote(body)}`);
  return [`curl${headers.accept === "text/event-stream" ? " -N" : ""} -X ${method} ${quote(url)}`, ...lines].join(" \\\n  ");
}

/** Calls, and shows status, headers and body, the body of a stream as it comes. */
async function call({ method, url, headers, body }, output, signal) {
  const text = h("pre", { tabindex: "0", "aria-label": "The body of the answer" });
  const begun = performance.now();
  try {
    const token = await accessToken();
    const authorization = token && { authorization: `Bearer ${token}` };
    const response = await fetch(url, { method, headers: { ...headers, ...authorization }, body, signal, credentials: "omit" });
    const status = h("span", { class: `status s${String(response.status)[0]}` }, `${response.status} ${response.statusText}`);
    const took = h("span", { class: "quiet" });
    const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    output.replaceChildren(h("p", {}, status, " ", took), h("details", {}, h("summary", {}, "Headers"), h("pre", {}, lines)), text);
    took.textContent = `${Math.round(performance.now() - begun)} ms`;
    await showBody(response, text);
  } catch (error) {
    const message = error.name === "AbortError" ? "Stopped." : `No answer: ${error.message}`;
    if (text.isConnected) output.append(h("p", { class: "quiet" }, message));
    else output.replaceChildren(h("p", { class: "problem" }, message));
  }
}

async function showBody(response, text) {
  const isStream = /event-stream|ndjson|jsonl/.test(response.headers.get("content-type") ?? "");
  if (!isStream) {
    const whole = await response.text();
    text.textContent = pretty(whole).slice(0, SHOWN_MAX) || "(empty)";
    return;
  }
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    // Whoever went on to another page no longer listens.
    if (!text.isConnected) break;
    text.textContent = (text.textContent + chunk).slice(-SHOWN_MAX);
    text.scrollTop = text.scrollHeight;
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
