import type { AnyWidget } from "@anywidget/types";
import type { CompareTraits } from "./compare/traits.ts";
import { CompareView } from "./compare/view.ts";

/** The same texts by several voices. */
export default {
  render({ model, el, signal }) {
    const view = new CompareView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<CompareTraits>;
