/** A pointer that moved less than this was a click, px. */
const CLICK = 4;

export interface Gestures {
  /** The pointer was dragged by so many px. */
  drag(px: number): void;
  /** The wheel was turned sideways. */
  scroll(px: number): void;
  /** Two fingers, or Ctrl and the wheel, at a place. */
  pinch(px: number, x: number): void;
  click(x: number, y: number): void;
  /** After each of them. */
  done(): void;
}

/** Hears what a pointer and a wheel do on an element. Without a key the wheel still scrolls the page. */
export function gestures(
  element: HTMLElement,
  { drag, scroll, pinch, click, done }: Gestures,
  signal: AbortSignal,
) {
  let down: { x: number; at: number; moved: boolean } | null = null;
  element.addEventListener(
    "pointerdown",
    ({ button, offsetX, pointerId }) => {
      if (button !== 0) return;
      down = { x: offsetX, at: offsetX, moved: false };
      element.setPointerCapture(pointerId);
    },
    { signal },
  );
  element.addEventListener(
    "pointermove",
    ({ offsetX }) => {
      if (!down) return;
      down.moved ||= Math.abs(offsetX - down.at) >= CLICK;
      if (!down.moved) return;
      drag(offsetX - down.x);
      down.x = offsetX;
      done();
    },
    { signal },
  );
  element.addEventListener(
    "pointerup",
    ({ offsetX, offsetY }) => {
      if (down && !down.moved) click(offsetX, offsetY);
      down = null;
      done();
    },
    { signal },
  );
  element.addEventListener(
    "pointercancel",
    () => {
      down = null;
    },
    { signal },
  );
  const wheel = (event: WheelEvent) => {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    // Pinching arrives as the wheel with Ctrl.
    if (!event.ctrlKey && !event.metaKey && !sideways) return;
    event.preventDefault();
    if (sideways) scroll(event.deltaX);
    else pinch(event.deltaY, event.offsetX);
    done();
  };
  element.addEventListener("wheel", wheel, { passive: false, signal });
}
