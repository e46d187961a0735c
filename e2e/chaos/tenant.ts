/** A process that may be killed, stopped and continued at any moment, and comes back in its place. */
export interface Tenant {
  readonly name: string;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Starts it again after `kill`. */
  restart(): Promise<void>;
}
