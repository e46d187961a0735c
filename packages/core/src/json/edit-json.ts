import { endOfValue, findMember, skipSpace, type Extent } from './scan-json.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The JSON with the member `name` of the object that opens at `objectStart` set to `value`, itself JSON text: an old value
 * is replaced where it stands, a new member comes last. Every other byte stays as it was.
 */
export function setMember(json: Uint8Array, objectStart: number, member: { name: string; value: string }): Uint8Array {
  const old = findMember(json, objectStart, member.name);
  if (old !== undefined) return replace(json, { start: old.valueStart, end: old.end }, member.value);
  const text = `${JSON.stringify(member.name)}:${member.value}`;
  const last = endOfMembers(json, objectStart);
  return last === undefined
    ? replace(json, { start: objectStart + 1, end: objectStart + 1 }, text)
    : replace(json, { start: last, end: last }, `,${text}`);
}

/** The bytes without those of `extent`. */
export function cut(bytes: Uint8Array, extent: Extent): Uint8Array {
  const kept = new Uint8Array(bytes.length - (extent.end - extent.start));
  kept.set(bytes.subarray(0, extent.start));
  kept.set(bytes.subarray(extent.end), extent.start);
  return kept;
}

/** {@link setMember} and its like on a text: `edit` gets its bytes and the place where its object opens. */
export function editText(json: string, edit: (json: Uint8Array, objectStart: number) => Uint8Array): string {
  const bytes = encoder.encode(json);
  return decoder.decode(edit(bytes, skipSpace(bytes, 0)));
}

/**
 * {@link editText} from the last place of the text where `name` stands as a member of the outermost object; what comes
 * before is not even looked at. Long answers report their usage at their end. Without such a place the whole text is edited.
 */
export function editTextFrom(name: string, json: string, edit: Parameters<typeof editText>[1]): string {
  const at = json.lastIndexOf(JSON.stringify(name));
  // Members of an inner object would leave closing braces over, and a text that is no member no colon.
  const tail = `{${json.slice(at)}`;
  if (at < 0 || !isJson(tail)) return editText(json, edit);
  return json.slice(0, at) + editText(tail, edit).slice(1);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function replace(json: Uint8Array, extent: Extent, text: string): Uint8Array {
  const inserted = encoder.encode(text);
  const edited = new Uint8Array(json.length - (extent.end - extent.start) + inserted.length);
  edited.set(json.subarray(0, extent.start));
  edited.set(inserted, extent.start);
  edited.set(json.subarray(extent.end), extent.start + inserted.length);
  return edited;
}

/** One past the last member's value; `undefined` for an object without members. */
function endOfMembers(json: Uint8Array, objectStart: number): number | undefined {
  let end = endOfValue(json, objectStart) - 1;
  while (end > objectStart + 1 && skipSpace(json, end - 1) >= end) end--;
  return end === objectStart + 1 ? undefined : end;
}
