/** Errors told by one view; a fault in a loop must not flood the kernel. */
const TOLD = 20;

/** Characters of a message or a stack that the kernel takes. */
const LONGEST = 10_000;

/** Where errors of the page go: to the console, to the person and to Python, never nowhere. */
export class Faults {
  readonly #tell: (message: string, stack: string) => void;
  #told = 0;

  constructor(tell: (message: string, stack: string) => void) {
    this.#tell = tell;
  }

  readonly report = (error: unknown): void => {
    console.error("[stepnb]", error);
    if (this.#told++ >= TOLD) return;
    const { message, stack = "" } = error instanceof Error ? error : new Error(String(error));
    try {
      this.#tell(message.slice(0, LONGEST), stack.slice(0, LONGEST));
    } catch (failure) {
      console.error("[stepnb] could not be reported:", failure);
    }
  };

  /** `handler`, with its error reported. */
  readonly guard =
    <A extends unknown[]>(handler: (...args: A) => void) =>
    (...args: A): void => {
      try {
        handler(...args);
      } catch (error) {
        this.report(error);
      }
    };
}
