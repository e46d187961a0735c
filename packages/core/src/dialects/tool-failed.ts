/** What is put before a failed tool's result where no member says so; without it the model would take it for a good one. */
export const TOOL_FAILED = 'The tool failed.';
