/**
 * Keeps `data-theme` of `root` at "light" or "dark", by the background it stands on.
 *
 * Front ends name their themes in ways of their own; what is behind the panel is the same question everywhere.
 */
export function followTheme(root: HTMLElement, changed: () => void, signal: AbortSignal): void {
  const update = () => {
    root.dataset.theme = isDark(root) ? "dark" : "light";
    changed();
  };
  // A theme's stylesheet may come after its name has changed.
  const later = () => requestAnimationFrame(update);
  const observer = new MutationObserver(later);
  for (const target of [document.documentElement, document.body]) {
    observer.observe(target, {
      attributes: true,
      attributeFilter: ["class", "style", "data-theme", "data-jp-theme-name", "data-jp-theme-light"],
    });
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", later, { signal });
  document.addEventListener("load", (event) => event.target instanceof HTMLLinkElement && later(), {
    capture: true,
    signal,
  });
  // A view may be made before it is put on the page, where there is nothing behind it yet; it has a size once it is there.
  const shown = new ResizeObserver(() => {
    if (!root.isConnected) return;
    shown.disconnect();
    update();
  });
  shown.observe(root);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    shown.disconnect();
  });
  update();
}

function isDark(root: HTMLElement): boolean {
  for (let element = root.parentElement; element; element = element.parentElement) {
    const [red = 0, green = 0, blue = 0, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
    if (alpha > 0.5) return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Computed colours are `rgb()` or `rgba()` of 0-255, with alpha 0-1. */
function channels(color: string): number[] {
  return (color.match(/[\d.]+/g) ?? ["0", "0", "0", "0"]).map(Number);
}
