import type { AnyWidget } from "@anywidget/types";
import type { Traits } from "./envelope.ts";
import { ViewGroup } from "./group.ts";
import { View } from "./view.ts";

/** The widget. Nothing is opened before a view is rendered, and no device before a click. */
export default (): AnyWidget<Traits> => {
  const group = new ViewGroup();
  return {
    render({ model, el, signal }) {
      const view = new View(model, el, group);
      signal?.addEventListener("abort", () => view.close());
      return () => view.close();
    },
  };
};
