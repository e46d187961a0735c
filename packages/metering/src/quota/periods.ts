/** The UTC day and month of a moment, `yyyymmdd` and `yyyymm`. */
export function periodsOf(ms: number): { readonly day: string; readonly month: string } {
  const day = new Date(ms).toISOString().slice(0, 10).replaceAll('-', '');
  return { day, month: day.slice(0, 6) };
}
