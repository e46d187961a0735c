export { startSimulator, type Simulator, type SimulatorOptions } from './start-simulator.ts';
export { FAULT_NAMES, type FaultName } from './fault-names.ts';
export type { Directives } from './directives.ts';
export type { SimulatedRequest } from './request-log.ts';
export type { WireName } from './wire/wire.ts';
export { simulatedTokens } from './words.ts';
