// Bundles the widgets into the Python package: an ES module, with the worklets inlined as text, and a stylesheet each.
// A worklet has to be a script of its own; as text it becomes a Blob URL, so that no front end has to serve it.
import { copyFile } from "node:fs/promises";
import { build } from "esbuild";

const outdir = "../stepnb/widgets/static";

/** `import source from "worklet:./x.worklet.ts"` gives the bundled, minified script as a string. */
const worklets = {
  name: "worklets",
  setup(builder) {
    builder.onResolve({ filter: /^worklet:/ }, async ({ path, resolveDir, kind }) => {
      const found = await builder.resolve(path.slice("worklet:".length), { resolveDir, kind });
      return found.errors.length ? found : { path: found.path, namespace: "worklet" };
    });
    builder.onLoad({ filter: /.*/, namespace: "worklet" }, async ({ path }) => {
      const bundle = await build({
        entryPoints: [path],
        bundle: true,
        minify: true,
        format: "iife",
        target: "es2022",
        write: false,
        metafile: true,
      });
      const watchFiles = Object.keys(bundle.metafile.inputs);
      return { contents: bundle.outputFiles[0].text, loader: "text", watchFiles };
    });
  },
};

await build({
  entryPoints: {
    panel: "src/panel.ts",
    controls: "src/controls.ts",
    recorder: "src/recorder.ts",
    timeline: "src/timeline.ts",
    inspector: "src/inspector.ts",
    lab: "src/lab.ts",
    compare: "src/compare.ts",
    gallery: "src/gallery.ts",
    companion: "src/companion.ts",
    doctor: "src/doctor.ts",
  },
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  outdir,
  plugins: [worklets],
});
await build({
  entryPoints: {
    panel: "src/panel.css",
    controls: "src/controls.css",
    recorder: "src/recorder.css",
    timeline: "src/timeline.css",
    inspector: "src/inspector.css",
    lab: "src/lab.css",
    compare: "src/compare.css",
    gallery: "src/gallery.css",
    companion: "src/companion.css",
    doctor: "src/doctor.css",
  },
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  outdir,
});
await copyFile("src/companion.html", `${outdir}/companion.html`);
