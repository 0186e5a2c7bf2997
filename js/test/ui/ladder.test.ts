import { describe, expect, it } from "vitest";
import { mayBeLocal } from "../../src/ui/ladder.ts";

const at = (hostname: string, protocol = "http:") => mayBeLocal({ protocol, hostname });

describe("whether a page may be on the kernel's machine", () => {
  it("is told by a loopback address", () => {
    for (const host of ["localhost", "lab.localhost", "127.0.0.1", "127.8.0.1", "[::1]"])
      expect(at(host)).toBe(true);
  });

  it("is not told by any other", () => {
    const hosts = [
      "lab.example.org",
      "192.168.1.4",
      "localhost.example.org",
      "127.0.0.1.example.org",
      "0.0.0.0",
    ];
    for (const host of hosts) expect(at(host)).toBe(false);
  });

  it("is so in VS Code's own window, and not in one in a browser", () => {
    expect(at("1a2b3c", "vscode-webview:")).toBe(true);
    expect(at("1a2b.vscode-cdn.net", "https:")).toBe(false);
  });
});
