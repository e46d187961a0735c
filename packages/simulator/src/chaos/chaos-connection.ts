import type { Socket } from 'node:net';
import { toLaneRules, type ChaosRules } from './chaos-rules.ts';
import { Lane, reset } from './lane.ts';

export interface ChaosConnectionOptions {
  readonly client: Socket;
  readonly target: Socket;
  readonly rules: ChaosRules;
  readonly onBytes: (lane: 'up' | 'down', count: number) => void;
}

/** A client, the target it talks to, and a lane for each direction. Lasts until both sockets are closed. */
export class ChaosConnection {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #up: Lane;
  readonly #down: Lane;

  constructor({ client, target, rules, onBytes }: ChaosConnectionOptions) {
    this.#client = client;
    this.#target = target;
    const onCut = (): void => {
      this.#closeLanes();
      reset(client);
      reset(target);
    };
    const onOver = (): void => {
      if (!this.#up.isOver || !this.#down.isOver) return;
      client.destroySoon();
      target.destroySoon();
    };
    this.#up = new Lane({
      source: client,
      sink: target,
      onBytes: (count) => onBytes('up', count),
      onCut,
      onOver,
    });
    this.#down = new Lane({
      source: target,
      sink: client,
      onBytes: (count) => onBytes('down', count),
      onCut,
      onOver,
    });
    this.rules = rules;
  }

  set rules(rules: ChaosRules) {
    this.#up.rules = toLaneRules(rules, 'up');
    this.#down.rules = toLaneRules(rules, 'down');
  }

  destroy(): void {
    this.#closeLanes();
    this.#client.destroy();
    this.#target.destroy();
  }

  #closeLanes(): void {
    this.#up.close();
    this.#down.close();
  }
}
