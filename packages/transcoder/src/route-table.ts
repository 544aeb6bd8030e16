import type { PathTemplate, Segment } from "./path-template.ts";
import { decodeSegment } from "./path-template.ts";

/** What is found for a path: routes by method, `*` for any. */
type Methods<Route> = Map<string, Route>;

interface Node<Route> {
  readonly literals: Map<string, Node<Route>>;
  one: Node<Route> | undefined;
  /** What ends here, by verb. */
  readonly ends: Map<string, Methods<Route>>;
  /** What takes all segments from here on, by verb. */
  readonly rests: Map<string, Methods<Route>>;
}

export interface RouteTable<Route> {
  /** Adds a route; if there is one already for the same paths and method, that is returned and nothing is added. */
  add(method: string, template: PathTemplate, route: Route): Route | undefined;
  /**
   * The route for a raw path, as it stands in the request line without its query. A literal segment wins over `*`, `*` over `**`.
   * A colon in the last segment begins a verb, always; one that belongs to a value is written %3A.
   */
  match(method: string, rawPath: string): { route: Route; segments: readonly string[] } | undefined;
  /** The methods that this path does have. */
  methods(rawPath: string): Set<string>;
}

export function newRouteTable<Route>(): RouteTable<Route> {
  const root = newNode<Route>();
  return {
    add: (method, { segments, verb }, route) => {
      const methods = methodsAt(root, segments, verb);
      const there = methods.get(method);
      if (there === undefined) methods.set(method, route);
      return there;
    },
    match: (method, rawPath) => {
      const { segments, verb } = split(rawPath);
      const walk = { segments, verb, visit: (methods: Methods<Route>) => methods.get(method) ?? methods.get("*") };
      const route = find(root, 0, walk);
      return route === undefined ? undefined : { route, segments };
    },
    methods: (rawPath) => {
      const found = new Set<string>();
      const visit = (methods: Methods<Route>): undefined => {
        for (const method of methods.keys()) found.add(method);
      };
      find(root, 0, { ...split(rawPath), visit });
      return found;
    },
  };
}

function newNode<Route>(): Node<Route> {
  return { literals: new Map(), one: undefined, ends: new Map(), rests: new Map() };
}

function methodsAt<Route>(root: Node<Route>, segments: readonly Segment[], verb: string): Methods<Route> {
  let node = root;
  let ends = node.ends;
  for (const segment of segments) {
    if (segment.kind === "rest") {
      ends = node.rests;
      break;
    }
    node = child(node, segment);
    ends = node.ends;
  }
  const methods = ends.get(verb) ?? new Map<string, Route>();
  ends.set(verb, methods);
  return methods;
}

function child<Route>(node: Node<Route>, segment: Segment): Node<Route> {
  const next = (segment.kind === "literal" ? node.literals.get(segment.text) : node.one) ?? newNode<Route>();
  if (segment.kind === "literal") node.literals.set(segment.text, next);
  else node.one = next;
  return next;
}

function split(rawPath: string): { segments: string[]; verb: string } {
  const segments = rawPath === "/" ? [] : rawPath.slice(1).split("/");
  const last = segments.at(-1) ?? "";
  const colon = last.lastIndexOf(":");
  if (colon < 0) return { segments, verb: "" };
  segments[segments.length - 1] = last.slice(0, colon);
  return { segments, verb: last.slice(colon + 1) };
}

interface Walk<Route> {
  readonly segments: readonly string[];
  readonly verb: string;
  /** Undefined goes on to the next best place. */
  visit(methods: Methods<Route>): Route | undefined;
}

function find<Route>(node: Node<Route>, at: number, walk: Walk<Route>): Route | undefined {
  const { segments, verb, visit } = walk;
  const segment = segments[at];
  if (segment === undefined) {
    const here = node.ends.get(verb);
    const found = here && visit(here);
    if (found !== undefined) return found;
  } else {
    const literal = node.literals.get(literalText(segment));
    const found = (literal && find(literal, at + 1, walk)) ?? (segment === "" || !node.one ? undefined : find(node.one, at + 1, walk));
    if (found !== undefined) return found;
  }
  const rest = node.rests.get(verb);
  return rest && visit(rest);
}

/** A literal may be percent-encoded by the caller; what cannot be decoded is no literal of ours. */
function literalText(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeSegment(segment);
  } catch {
    return segment;
  }
}
