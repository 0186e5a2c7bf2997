import type { AnyWidget } from "@anywidget/types";
import type { LabTraits } from "./lab/traits.ts";
import { LabView } from "./lab/view.ts";

/** From a recording to a voice. No device is opened before a click. */
export default {
  render({ model, el, signal }) {
    const view = new LabView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<LabTraits>;
