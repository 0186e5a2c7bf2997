import type { AnyWidget } from "@anywidget/types";
import { type InspectorTraits, InspectorView } from "./inspector/view.ts";

/** Everything that went between a session and the service, as a table. */
export default {
  render({ model, el, signal }) {
    const view = new InspectorView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<InspectorTraits>;
