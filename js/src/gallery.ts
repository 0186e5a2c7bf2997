import type { AnyWidget } from "@anywidget/types";
import type { GalleryTraits } from "./gallery/contract.ts";
import { GalleryView } from "./gallery/view.ts";

/** An experiment to listen through. */
export default {
  render({ model, el, signal }) {
    const view = new GalleryView(model, el);
    signal?.addEventListener("abort", () => view.close());
    return () => view.close();
  },
} satisfies AnyWidget<GalleryTraits>;
