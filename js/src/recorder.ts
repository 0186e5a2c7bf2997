import type { AnyWidget } from "@anywidget/types";
import { type RecorderTraits, RecorderView } from "./recorder/view.ts";

/** Records a voice. No device is opened before a click. */
export default {
  render({ model, el, signal }) {
    const view = new RecorderView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<RecorderTraits>;
