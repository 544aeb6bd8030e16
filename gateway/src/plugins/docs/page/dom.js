/**
 * Makes an element. Properties that begin with "on" are listeners, others are attributes; false and undefined leave an attribute out.
 * Text is only ever text, never HTML.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Number.POSITIVE_INFINITY).filter((child) => child !== undefined && child !== false && child !== ""));
  return element;
}

/** Descriptions: paragraphs, lists with dashes and `code`. */
export function prose(text = "") {
  return text
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== "")
    .map((block) => {
      const lines = block.split("\n");
      if (lines.every((line) => line.startsWith("- ")))
        return h(
          "ul",
          {},
          lines.map((line) => h("li", {}, inline(line.slice(2)))),
        );
      return h("p", {}, inline(block));
    });
}

/** Text with `code` in it. */
export function inline(text = "") {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? h("code", {}, part) : part));
}

let ids = 0;

/** An input under its label, with what helps to fill it in. */
export function labelled(label, input, help) {
  const id = `field-${++ids}`;
  input.id = id;
  if (help) input.setAttribute("aria-describedby", `${id}-help`);
  return h("div", { class: "field" }, h("label", { for: id }, label), input, help && h("p", { class: "quiet", id: `${id}-help` }, help));
}
