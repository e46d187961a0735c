export { generateApiKey, hasValidChecksum, hashApiKey, hashesOfApiKey, type Peppers } from './api-keys.ts';
export { cannotListen, type ListenSettings } from './cannot-listen.ts';
export { formatPath, type Path } from './config-document.ts';
export { ConfigError, type Problem } from './config-error.ts';
export { configJsonSchema, keyRightsSchema, type KeyRightsFile } from './config-schema.ts';
export type {
  Config,
  CredentialSource,
  DeploymentConfig,
  KeyConfig,
  KeyRights,
  KeyScope,
  LimitsConfig,
  LongAnswers,
  WithoutQuotaStore,
  ModelCapability,
  ModelConfig,
  OwnerConfig,
  ProviderConfig,
  ProviderType,
  RoutingConfig,
  RoutingMode,
  StreamFormat,
  Timeouts,
} from './config.ts';
export { demoConfig, type DemoConfigOptions } from './demo-config.ts';
export { describeIssue } from './describe-issue.ts';
export { loadConfig, type LoadConfigOptions } from './load-config.ts';
export { OperatorError } from './operator-error.ts';
export { readConfig } from './read-config.ts';
export {
  parseRedisUrl,
  type RedisClusterOptions,
  type RedisConnection,
  type RedisSentinelOptions,
} from './redis-connection.ts';
export { redisOptions, type RedisServerOptions } from './redis-options.ts';
export {
  parseIntegerBetween,
  parseOneOf,
  parsePort,
  parseText,
  readSettings,
  runMain,
  SettingsError,
  type Setting,
  type SettingsOf,
} from './settings.ts';
export { SHARED_SETTINGS } from './shared-settings.ts';
export type { Environment } from './substitute-variables.ts';
export { findSharedOwner, type SharedOwner } from './shared-owner.ts';
export { toKeyRights } from './to-config.ts';
export { watchConfig, type ReloadLog } from './watch-config.ts';
