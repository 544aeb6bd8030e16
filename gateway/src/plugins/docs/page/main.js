import { h, prose } from "./dom.js";
import { operationView } from "./operation.js";
import { sessionView } from "./session.js";

const main = document.getElementById("main");
const search = document.getElementById("search");
const found = document.getElementById("found");
const list = document.getElementById("operations");

/** Every operation of the document, in its order, with the words by which it is found. */
function operationsOf(doc) {
  return Object.entries(doc.paths).flatMap(([path, { "x-additional-operations": more = {}, ...methods }]) => {
    const plain = Object.entries(methods).map(([method, operation]) => ({ method, path, operation }));
    const others = Object.entries(more).map(([route, operation]) => ({ method: route.split(" ")[0].toLowerCase(), path, operation }));
    return [...plain, ...others].map((entry) => {
      const { operationId, summary, tags = [] } = entry.operation;
      return { ...entry, tag: tags[0] ?? "", words: [entry.method, path, operationId, summary, ...tags].join(" ").toLowerCase() };
    });
  });
}

/** The links of the navigation, below the tags that they belong to. */
function showList(doc, operations) {
  const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = operations.filter(({ words }) => wanted.every((word) => words.includes(word)));
  const tags = [...new Set([...(doc.tags ?? []).map(({ name }) => name), ...shown.map(({ tag }) => tag)])];
  const groups = tags.map((tag) => {
    const links = shown.filter((entry) => entry.tag === tag).map(link);
    return links.length > 0 && h("section", {}, h("h2", {}, tag), h("ul", {}, links));
  });
  list.replaceChildren(...groups.filter(Boolean));
  found.textContent = wanted.length > 0 ? `${shown.length} of ${operations.length}` : "";
  markCurrent();
}

function link({ method, path, operation }) {
  const anchor = h(
    "a",
    { href: `#${operation.operationId}`, title: operation.summary ?? "" },
    badge(method),
    h("span", {}, breakable(path)),
  );
  return h("li", {}, anchor);
}

function badge(method) {
  return h("span", { class: `method ${method}` }, method.toUpperCase());
}

/** Long paths may break after their slashes. */
function breakable(path) {
  return path.split(/(?<=\/)/).flatMap((part) => [part, h("wbr")]);
}

function markCurrent() {
  for (const anchor of list.querySelectorAll("a")) {
    if (anchor.hash === location.hash) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
}

function overview(doc, operations) {
  const rows = (doc.tags ?? []).map(({ name, description }) => [
    h("h2", {}, name),
    prose(description),
    h(
      "ul",
      { class: "overview" },
      operations.filter(({ tag }) => tag === name).map((entry) => overviewRow(entry)),
    ),
  ]);
  return h(
    "article",
    {},
    h("h1", {}, doc.info.title),
    doc.info.summary && h("p", {}, `${doc.info.summary}.`),
    prose(doc.info.description),
    rows,
  );
}

function overviewRow({ method, path, operation }) {
  const { operationId, summary } = operation;
  return h(
    "li",
    {},
    badge(method),
    " ",
    h("a", { href: `#${operationId}` }, path),
    " ",
    h("span", { class: "quiet" }, summary ?? operationId),
  );
}

function show(doc, operations) {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id === "main") return main.focus();
  const entry = operations.find(({ operation }) => operation.operationId === id);
  main.replaceChildren(entry === undefined ? overview(doc, operations) : operationView(doc, entry));
  document.title = entry === undefined ? doc.info.title : `${entry.operation.summary ?? id} – ${doc.info.title}`;
  markCurrent();
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  scrollTo(0, 0);
}

async function start() {
  const response = await fetch("openapi.json");
  if (!response.ok) throw new Error(`openapi.json answers ${response.status}`);
  const doc = await response.json();
  const operations = operationsOf(doc);
  document.getElementById("title").textContent = doc.info.title;
  document.getElementById("version").textContent = doc.info.version;
  document.getElementById("session").append(sessionView(doc));
  search.addEventListener("input", () => showList(doc, operations));
  addEventListener("hashchange", () => {
    show(doc, operations);
    // Whoever followed a link reads on where it led.
    main.focus({ preventScroll: true });
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.focus();
  });
  showList(doc, operations);
  show(doc, operations);
}

start().catch((error) =>
  main.replaceChildren(h("p", { class: "problem", role: "alert" }, `The documentation could not be read: ${error.message}`)),
);
