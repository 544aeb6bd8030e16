import { h, inline, prose } from "./dom.js";
import { exampleOf } from "./example.js";
import { meaning, resolve, schemaView, typeWords } from "./schema.js";
import { tryIt } from "./try-it.js";

/** Everything that the document says of one operation, and a form to call it. */
export function operationView(doc, { method, path, operation }) {
  const { summary, operationId, description, security, parameters = [], requestBody, responses } = operation;
  return h(
    "article",
    {},
    h("h1", {}, summary ?? operationId),
    h("p", { class: "route" }, h("span", { class: `method ${method}` }, method.toUpperCase()), " ", h("code", {}, path)),
    h(
      "div",
      { class: "columns" },
      h(
        "div",
        {},
        prose(description),
        security?.length > 0 && h("p", { class: "quiet" }, "Needs an access token."),
        operation["x-grpc-method"] && h("p", { class: "quiet" }, "gRPC: ", h("code", {}, operation["x-grpc-method"])),
        parameters.length > 0 && [h("h2", {}, "Parameters"), parametersView(doc, parameters)],
        requestBody && [h("h2", {}, "Body"), contentView(doc, requestBody)],
        h("h2", {}, "Answers"),
        Object.entries(responses).map(([status, response]) => responseView(doc, status, resolve(doc, response))),
      ),
      tryIt(doc, { method, path, operation }),
    ),
  );
}

function parametersView(doc, parameters) {
  const row = ({ name, in: place, required, schema, content, description }) => {
    const type = schema ?? content?.["application/json"]?.schema;
    return [
      h(
        "dt",
        {},
        h("code", {}, name),
        " ",
        h("span", { class: "type" }, `${place}, ${typeWords(doc, type)}`),
        required && h("span", { class: "required" }, " required"),
      ),
      h("dd", {}, meaning(doc, type, description)),
    ];
  };
  return h("dl", { class: "members" }, parameters.map(row));
}

function responseView(doc, status, response) {
  const name = status === "default" ? "any other" : status;
  const words = [h("span", { class: `status s${status[0]}` }, name), " ", inline(response.description)];
  if (status === "default" || !status.startsWith("2")) {
    return h("details", {}, h("summary", {}, words), contentView(doc, response));
  }
  return h("section", {}, h("p", {}, words), contentView(doc, response));
}

function contentView(doc, { content = {} }) {
  const [[type, { schema, "x-item-schema": item } = {}] = []] = Object.entries(content);
  const shape = item ?? schema;
  if (type === undefined) return undefined;
  return [
    h(
      "p",
      { class: "quiet" },
      item ? `Each message of ${Object.keys(content).join(" or ")}: ` : `${type}: `,
      shape ? typeWords(doc, shape) : "bytes",
    ),
    shape && schemaView(doc, shape),
    shape && h("details", {}, h("summary", {}, "Example"), h("pre", {}, JSON.stringify(exampleOf(doc, shape), null, 2))),
  ];
}
