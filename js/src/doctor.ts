import type { AnyWidget } from "@anywidget/types";
import type { DoctorTraits } from "./doctor/contract.ts";
import { DoctorView } from "./doctor/view.ts";

/** What voice needs, looked at. No device is opened before a click. */
export default {
  render({ model, el, signal }) {
    const view = new DoctorView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<DoctorTraits>;
