/** A document of plain text where there is no part of its own for one: its text, marked off with its name. */
export function documentAsText(text: string, name = 'document'): string {
  return `<document name=${JSON.stringify(name)}>\n${text}\n</document>`;
}
