import type { AnyModel } from "@anywidget/types";
import { type News, TabModel } from "./companion/model.ts";
import type { Traits } from "./envelope.ts";
import { ViewGroup } from "./group.ts";
import { h } from "./ui/dom.ts";
import { pageLabels } from "./ui/labels.ts";
import { View } from "./view.ts";

/** The companion tab: the panel's own view at the end of a socket to the kernel on this machine. */

const SECRET = "stepnb.companion";
/** After a reload the old tab's socket may still be closing. */
const TRIES = 4;
const WAIT_MS = 300;

const root = document.querySelector("main") as HTMLElement;
const { lang, labels } = pageLabels("");
document.documentElement.lang = lang;
document.title = labels.ladder.tabTitle;

function say(text: string, fix: string): void {
  root.replaceChildren(h("p", { role: "alert" }, h("b", {}, text), " ", fix));
}

/** A socket that has opened, or null. */
function connect(secret: string): Promise<WebSocket | null> {
  const socket = new WebSocket(`ws://${location.host}/session?${encodeURIComponent(secret)}`);
  return new Promise((resolve) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => resolve(null);
  });
}

function show(socket: WebSocket): void {
  let model: TabModel | null = null;
  let view: View | null = null;
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as News;
    if (message.resume) sessionStorage.setItem(SECRET, message.resume);
    if (model) {
      model.take(message);
      return;
    }
    model = new TabModel(message.state as Traits, (up) => socket.send(JSON.stringify(up)));
    view = new View(model as unknown as AnyModel<Traits>, root, new ViewGroup());
  };
  socket.onclose = () => {
    view?.close();
    say(labels.ladder.tabEnded, labels.ladder.tabEndedFix);
  };
}

async function main(): Promise<void> {
  const link = location.hash.slice(1);
  // Used up in a moment: neither the address bar nor the history keeps it.
  history.replaceState(null, "", location.pathname);
  const secret = link || sessionStorage.getItem(SECRET) || "";
  for (let i = 0; i < TRIES; i++) {
    const socket = await connect(secret);
    if (socket) {
      show(socket);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
  }
  say(labels.ladder.tabRefused, labels.ladder.tabRefusedFix);
}

main();
