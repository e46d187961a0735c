export { describeDialect } from './describe-dialect.ts';
export type { DialectFixture } from './describe-dialect.ts';
