/** Everything that this package has in Redis. Each command uses one key, so that a cluster may put them where it likes. */

/** HASH: gateway id → its latest report as JSON; see `health-board.ts`. */
export const BOARD = 'gw:health:board';

/** CHANNEL of what gateways tell each other; see `health-peers.ts`. */
export const NEWS = 'gw:health:news';

/** STRING: id of the gateway that may send the deployment's one probe; gone when it has been returned or its time has passed. */
export function probeKey(deployment: string): string {
  return `gw:health:probe:${deployment}`;
}
