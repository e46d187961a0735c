/** Letters of a length that nobody can guess, as OpenAI pads the events of its streams. */
export function obfuscation(random: () => number): string {
  const length = 1 + Math.floor(random() * 8);
  return random().toString(36).slice(2).padEnd(8, 'x').slice(0, length);
}
