// Who is typing, under the composer.

import { append, el, fill } from "../core/dom.js";
import { memberOf, state } from "../core/state.js";

const TYPING_MS = 10000;

export class Typing {
  constructor() {
    this.until = new Map();
    this.element = el("div", { class: "typing", role: "status" });
  }

  started(userId, channelId) {
    this.until.set(userId, { channelId, until: Date.now() + TYPING_MS });
    this.draw();
    setTimeout(() => this.draw(), TYPING_MS + 100);
  }

  stopped(userId) {
    if (this.until.delete(userId)) this.draw();
  }

  draw() {
    const now = Date.now();
    const here = [...this.until].filter(([, entry]) => entry.until > now && entry.channelId === state.channelId);
    fill(this.element);
    if (!here.length) return;
    const names = here.map(([id]) => memberOf(id).name);
    const dots = el("span", { class: "dots" }, el("i"), el("i"), el("i"));
    append(this.element, [dots, el("strong", {}, names.join(", ")), names.length > 1 ? " are typing…" : " is typing…"]);
  }
}
