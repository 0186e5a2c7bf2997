import type { Traits } from "../envelope.ts";

type Handler = (...args: never[]) => void;

/** What comes over the socket besides the envelope: traits, and the secret with which a reload comes back. */
export interface News {
  state?: Partial<Traits>;
  resume?: string;
}

/** The widget's model at the end of a socket: as much of it as the panel's view uses. */
export class TabModel {
  readonly #send: (message: object) => void;
  readonly #traits: Traits;
  readonly #changed: Partial<Traits> = {};
  readonly #handlers = new Map<string, Set<Handler>>();

  constructor(traits: Traits, send: (message: object) => void) {
    this.#traits = withoutRungs(traits);
    this.#send = send;
  }

  /** Takes in what the kernel sent. */
  take(message: News): void {
    if (!message.state) {
      this.#tell("msg:custom", message);
      return;
    }
    Object.assign(this.#traits, withoutRungs(message.state));
    for (const name of Object.keys(message.state)) this.#tell(`change:${name}`);
  }

  get<K extends keyof Traits>(name: K): Traits[K] {
    return this.#traits[name];
  }

  set<K extends keyof Traits>(name: K, value: Traits[K]): void {
    this.#traits[name] = value;
    this.#changed[name] = value;
  }

  save_changes(): void {
    const set = { ...this.#changed };
    for (const name of Object.keys(set)) delete this.#changed[name as keyof Traits];
    if (Object.keys(set).length) this.#send({ set });
  }

  send(message: object): void {
    this.#send(message);
  }

  on(event: string, handler: Handler): void {
    const handlers = this.#handlers.get(event) ?? new Set();
    this.#handlers.set(event, handlers.add(handler));
  }

  off(event: string, handler: Handler): void {
    this.#handlers.get(event)?.delete(handler);
  }

  #tell(event: string, ...values: unknown[]): void {
    for (const handler of [...(this.#handlers.get(event) ?? [])]) handler(...(values as never[]));
  }
}

/** From here there is no further companion tab. */
function withoutRungs<T extends Partial<Traits>>(traits: T): T {
  return traits.info ? { ...traits, info: { ...traits.info, rungs: [] } } : traits;
}
