/** Why there is no quota: the store itself did not do what it was asked, be it gone, slow, loading, full or only a replica. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}
