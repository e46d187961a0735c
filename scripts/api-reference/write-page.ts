import type { ExportedName } from './read-entry.ts';

/** One page of the reference: an entry of the package. */
export interface Page {
  /** What one writes behind `from`. */
  readonly specifier: string;
  readonly file: string;
  readonly names: readonly ExportedName[];
}

/** Headings of the folders, in the order in which one needs them; other folders follow under their own names. */
const TITLES = new Map([
  ['completion', 'Opening an answer, and failing over'],
  ['router', 'Choosing who serves'],
  ['providers', 'Providers'],
  ['dialects', 'Dialects'],
  ['chat', 'Neutral words for requests and answers'],
  ['cost', 'Tokens and money'],
  ['errors', 'What goes wrong'],
  ['sse', 'Server-Sent Events'],
  ['undici', 'On Node.js'],
  ['testing', 'Tests for dialects'],
]);

/** The page as Markdown, not yet formatted. `pages` are all there are, to be linked to. */
export function writePage(page: Page, pages: readonly Page[]): string {
  const groups = groupByFolder(page.names);
  const links = new Map(pages.flatMap((other) => (other === page ? [] : linksOf(other, other.file))));
  for (const [name, address] of linksOf(page, '')) links.set(name, address);
  const link = (name: string): string => `[\`${name}\`](${links.get(name) ?? ''})`;
  const others = pages.filter((other) => other !== page);
  return [
    `<!-- Made by scripts/api-reference.ts from the declarations of the build: edit the docstrings, not this. -->`,
    `# ${page.specifier}`,
    `Other imports: ${others.map(({ specifier, file }) => `[${specifier}](${file})`).join(' · ')}`,
    groups.map(([title, members]) => `- ${title}: ${members.map(({ name }) => link(name)).join(' · ')}`).join('\n'),
    ...groups.flatMap(([title, members]) => [
      `## ${title}`,
      ...members.flatMap((member) => writeName(member, member.mentions.filter((name) => links.has(name)).map(link))),
    ]),
  ].join('\n\n');
}

function writeName({ name, doc, code, place }: ExportedName, links: readonly string[]): string[] {
  const source = `[src/${place}.ts](../../src/${place}.ts)`;
  return [
    `### ${name}`,
    ...(doc === undefined ? [] : [writeDoc(doc)]),
    // A constant without a value needs its `declare` to be TypeScript.
    `\`\`\`ts\n${code.replace(/^export (?:declare (?=function|class|abstract))?/gm, '')}\n\`\`\``,
    links.length === 0 ? source : `${source}, with ${links.join(', ')}`,
  ];
}

/** A docstring as prose: names of links as code, tags put into words. */
export function writeDoc(doc: string): string {
  return doc
    .replace(/\{@link ([^}|\s]+)[^}]*\}/g, '`$1`')
    .replace(/\s*@throws ([A-Z]\w*Error\b)?/g, (_, error?: string) =>
      error === undefined ? '\n\nThrows ' : `\n\nThrows \`${error}\``,
    )
    .replace(/\s*@returns /g, '\n\nGives ')
    .replace(/\s*@defaultValue /g, '\n\nDefault: ')
    .replace(/\s*@param (\w+) /g, '\n\n`$1`: ')
    .trim();
}

/** Folders with their members: what one can call first, then types, each in the order of the entry. */
function groupByFolder(names: readonly ExportedName[]): [title: string, members: readonly ExportedName[]][] {
  const order = [...TITLES.keys()];
  const placeOf = (folder: string): number => (order.includes(folder) ? order.indexOf(folder) : order.length);
  const isType = ({ code }: ExportedName): number => Number(/^export (?:interface|type) /.test(code));
  const groups = Map.groupBy(names, ({ place }) => place.split('/')[0] ?? place);
  return [...groups]
    .toSorted(([a], [b]) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1))
    .map(([folder, members]) => [TITLES.get(folder) ?? folder, members.toSorted((a, b) => isType(a) - isType(b))]);
}

/** Each name of a page with its address, as GitHub makes it of headings: a second one of the same letters gets a number. */
function linksOf({ specifier, names }: Page, file: string): [name: string, address: string][] {
  const groups = groupByFolder(names);
  const headings = [specifier, ...groups.flatMap(([title, members]) => [title, ...members.map(({ name }) => name)])];
  const counts = new Map<string, number>();
  return headings.map((heading) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
    const count = counts.get(slug) ?? 0;
    counts.set(slug, count + 1);
    return [heading, `${file}#${slug}${count === 0 ? '' : `-${count}`}`];
  });
}
