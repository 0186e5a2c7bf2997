/** Why a page cannot have a microphone, whatever its person says. */
export type Obstacle = "insecure" | "policy" | "webview";

/** What a page can know of its place before it asks for anything. */
export interface Place {
  protocol: string;
  hostname: string;
  /** Whether this is a secure context that has the interface for microphones. */
  capable: boolean;
  /** Whether the frames around the page pass the microphone on; where the browser does not say, true. */
  allowed: boolean;
}

/** VS Code shows notebooks in a frame of its own: under its own scheme, in a browser under this host. */
export function inVsCode({ protocol, hostname }: Pick<Place, "protocol" | "hostname">): boolean {
  return protocol === "vscode-webview:" || /(^|\.)vscode-(cdn|webview)\.net$/.test(hostname);
}

export function obstacleIn(place: Place): Obstacle | null {
  if (!place.capable) return "insecure";
  if (place.allowed) return null;
  return inVsCode(place) ? "webview" : "policy";
}

/** What stands between this page and a microphone; null: nothing that is known before somebody is asked. */
export function obstacle(): Obstacle | null {
  const { protocol, hostname } = window.location;
  // Chromium only, and under its older name; elsewhere the question itself is refused.
  const { featurePolicy } = document as Document & {
    featurePolicy?: { allowsFeature(name: string): boolean };
  };
  return obstacleIn({
    protocol,
    hostname,
    capable: window.isSecureContext && navigator.mediaDevices?.getUserMedia !== undefined,
    allowed: featurePolicy?.allowsFeature("microphone") ?? true,
  });
}
