export { startSimulator, type Simulator, type SimulatorOptions } from './start-simulator.ts';
export { FAULT_NAMES, type FaultName } from './fault-names.ts';
export type { Directives } from './directives.ts';
export type { SimulatedRequest } from './request-log.ts';
export type { WireName } from './wire/wire.ts';
export { createRandom, simulatedTokens } from './words.ts';
export { startChaosProxy, type ChaosProxy, type ChaosProxyOptions } from './chaos/chaos-proxy.ts';
export type { ChaosRules, DirectionRules } from './chaos/chaos-rules.ts';
export { startConnectBlackHole, type ConnectBlackHole } from './chaos/connect-black-hole.ts';
