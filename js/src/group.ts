/** What the views of one widget need to know of each other. */
export interface Member {
  readonly id: string;
  /** Audio is waiting or playing. */
  readonly busy: boolean;
}

/** Items whose view is remembered. */
const ITEMS = 64;

/** The views of one widget on this page: decides which of them plays. Every item is played by one view, whole. */
export class ViewGroup {
  #members: Member[] = [];
  /** The view that owns the microphone as the kernel last said; it may be on another page. */
  #owner: string | null = null;
  readonly #items = new Map<string, string>();

  /** A new view is the one last shown. Should the owner's page be gone without a word, this page plays again. */
  add(member: Member): void {
    this.#members.push(member);
    this.#owner = this.#has(this.#owner) ? this.#owner : null;
  }

  remove(member: Member): void {
    this.#members = this.#members.filter((other) => other !== member);
    if (this.#owner === member.id) this.#owner = null;
  }

  own(view: string | null): void {
    this.#owner = view;
  }

  /** Whether `member` plays `item`: the microphone's owner does, else the view last shown. */
  plays(member: Member, item: string): boolean {
    const before = this.#items.get(item);
    const player = this.#has(before) ? before : this.#player();
    this.#items.delete(item);
    this.#items.set(item, player ?? "");
    for (const oldest of this.#items.keys()) {
      if (this.#items.size <= ITEMS) break;
      this.#items.delete(oldest);
    }
    return player === member.id;
  }

  /** Whether `member` answers a flush: who has audio does, or, when nobody has, who would play. */
  answersFlush(member: Member): boolean {
    const busy = this.#members.filter((other) => other.busy);
    return busy.length ? busy.includes(member) : this.#player() === member.id;
  }

  #player(): string | null {
    return this.#owner ?? this.#members.at(-1)?.id ?? null;
  }

  #has(id: string | null | undefined): id is string {
    return this.#members.some((member) => member.id === id);
  }
}
