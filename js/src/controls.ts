import type { AnyWidget } from "@anywidget/types";
import type { ControlTraits } from "./controls/traits.ts";
import { ControlsView } from "./controls/view.ts";

/** The settings of a session, under its panel or anywhere else. */
export default {
  render({ model, el, signal }) {
    const view = new ControlsView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<ControlTraits>;
