/** Everything that this package has in Redis. One hash tag, so that a cluster keeps it together and a script may change it in one step. */

/** HASH: id of a key → its record as JSON; see `key-record.ts`. Nothing is ever taken out of it. */
export const RECORDS = 'gw:{keys}:records';

/** HASH: MAC of a secret → id of its key. A secret that was replaced is not in it. */
export const SECRETS = 'gw:{keys}:secrets';

/** LIST of ids, oldest first; it only grows, so that a position in it stays a position. */
export const IDS = 'gw:{keys}:ids';

/** CHANNEL: id of the key that has just been made, changed, rotated or revoked. */
export const CHANGES = 'gw:{keys}:changes';
