/** Something that whoever runs the program can put right. The message says how; a stack would only hide it. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}
