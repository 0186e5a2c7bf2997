import type { AnyWidget } from "@anywidget/types";
import { type TimelineTraits, TimelineView } from "./timeline/view.ts";

/** A conversation over time, to pan, zoom and listen to. */
export default {
  render({ model, el, signal }) {
    const view = new TimelineView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<TimelineTraits>;
