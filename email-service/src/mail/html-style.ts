import { oneLine } from "./one-line.ts";

/** The colours of a mail, as all programs show it that do not know of dark ones. Text on its ground has a contrast of 5:1 or more. */
export const ink = {
  page: "#eef2f5",
  card: "#ffffff",
  text: "#1c2733",
  dim: "#566370",
  rule: "#dde4ea",
  button: "#1464b4",
  bar: "#2f7fd0",
} as const;

/** For those that have media queries: dark colours, and narrow screens. Each wins over what stands in the element. */
export const styles = `:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background-color: #10171f !important; }
  .card { background-color: #1b2530 !important; }
  .ink { color: #e6ecf2 !important; }
  .dim { color: #a8b5c2 !important; }
  .rule { border-color: #364452 !important; }
  .bar { background-color: #5aa9f0 !important; }
}
@media (max-width: 480px) {
  .card { padding: 24px 20px 8px !important; }
}`;

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text of anybody's as one line of HTML, within an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
