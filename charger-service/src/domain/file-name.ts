const CHARACTERS_MAX = 128;

/** What is left of a name that somebody else gave a file: its last part, of characters that mean nothing to any system. */
export function safeFileName(name: string, otherwise: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  const plain = last
    .replaceAll(/[^A-Za-z0-9._ ()+=@,-]/g, "_")
    .replace(/^[. ]+/, "")
    .slice(-CHARACTERS_MAX)
    .trim();
  return plain === "" ? otherwise : plain;
}
