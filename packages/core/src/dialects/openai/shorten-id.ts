const SHORT_ID_LENGTH = 9;

/** Nine letters and digits made of an id, always the same. */
export function shortenId(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id;
  // FNV-1a.
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < id.length; i++) hash = ((hash ^ BigInt(id.charCodeAt(i))) * 0x100000001b3n) & ((1n << 64n) - 1n);
  return hash.toString(36).padStart(SHORT_ID_LENGTH, '0').slice(-SHORT_ID_LENGTH);
}
