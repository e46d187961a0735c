export { listenForKeyChanges, type KeyChanges, type KeyChangesOptions } from './key-changes.ts';
export type { KeyRightsFields, StoredKey } from './key-record.ts';
export {
  createKeyStore,
  type KeyPage,
  type KeyStore,
  type KeyStoreOptions,
  type KeyText,
  type KeyWithSecret,
  type NewKey,
} from './key-store.ts';
