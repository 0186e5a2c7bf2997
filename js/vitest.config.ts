import { defineConfig } from "vitest/config";

// Property tests are long on a busy machine; the limit is there to end what hangs.
export default defineConfig({ test: { include: ["test/**/*.test.ts"], testTimeout: 60_000 } });
