export { createAccounting, type Accounting, type AccountingSettings } from './create-accounting.ts';
