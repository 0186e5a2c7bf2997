/** A permutation of 0 to n-1, the same for the same seed: who is rated blind sees each row in an order of its own. */
export function shuffled(n: number, seed: number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  let state = (seed ^ 0x9e3779b9) >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return order;
}

/** "A", "B", ... "Z", "AA": what a hidden variant is called. */
export function letter(n: number): string {
  const head = n >= 26 ? letter(Math.floor(n / 26) - 1) : "";
  return head + String.fromCharCode(65 + (n % 26));
}
