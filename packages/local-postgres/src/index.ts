export { findPostgres, type PostgresPrograms } from './find-postgres.ts';
export { startPostgres, type LocalPostgres } from './start-postgres.ts';
