import { describe, expect, it } from "vitest";
import { obstacleIn } from "../../src/audio/obstacle.ts";

const LAB = { protocol: "http:", hostname: "localhost", capable: true, allowed: true };

describe("what is known of the microphone before it is asked for", () => {
  it("is nothing where a page may ask", () => {
    expect(obstacleIn(LAB)).toBeNull();
    expect(obstacleIn({ ...LAB, protocol: "vscode-webview:", hostname: "1a2b3c" })).toBeNull();
  });

  it("is plain http, before anything else", () => {
    expect(obstacleIn({ ...LAB, hostname: "lab.example.org", capable: false })).toBe("insecure");
    expect(obstacleIn({ ...LAB, capable: false, allowed: false })).toBe("insecure");
  });

  it("is the frame around it, and whose frame that is", () => {
    expect(obstacleIn({ ...LAB, allowed: false })).toBe("policy");
    expect(obstacleIn({ ...LAB, protocol: "vscode-webview:", allowed: false })).toBe("webview");
    const inABrowser = { protocol: "https:", hostname: "1a2b.vscode-cdn.net", capable: true, allowed: false };
    expect(obstacleIn(inABrowser)).toBe("webview");
    expect(obstacleIn({ ...inABrowser, hostname: "vscode-cdn.net.example.org" })).toBe("policy");
  });
});
