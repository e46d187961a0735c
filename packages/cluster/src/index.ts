export {
  createHealthBoard,
  REPORT_EVERY_MS,
  type DeploymentReport,
  type GatewayHealthReport,
  type HealthBoard,
  type HealthBoardOptions,
} from './health-board.ts';
export { createRedisHealthPeers, type RedisHealthPeers, type RedisHealthPeersOptions } from './health-peers.ts';
