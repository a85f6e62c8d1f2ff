// The line that only this tab sees while the bot hasn't answered yet.

import { el, fill, icon } from "../core/dom.js";
import { state } from "../core/state.js";
import { openModal } from "./modal.js";
import { avatar, nameOf } from "./people.js";

/** A line that says `what` was used; `done(answer)` acts on what came of it, `onChange()` is called when it grew. */
export class Pending {
  constructor(what, onChange) {
    this.channelId = state.channelId;
    this.onChange = onChange;
    this.body = el("div", { class: "pending-body" }, el("span", { class: "muted" }, "Sending command…"));
    this.element = el(
      "li",
      { class: "message pending" },
      el("div", { class: "message-context" }, avatar(state.me, "avatar tiny"), nameOf(state.me), " used ", el("span", { class: "command-name" }, what)),
      this.body,
    );
  }

  done(answer) {
    if (answer.outcome === "failed") this.fail("The application did not respond");
    else if (answer.outcome === "refused") this.fail(answer.content);
    else this.element.remove();
    if (answer.outcome === "modal") openModal(answer.content, this.channelId);
  }

  fail(text) {
    const dismiss = el("button", { class: "link", type: "button", on: { click: () => this.element.remove() } }, "Dismiss message");
    fill(
      this.body,
      el("div", { class: "failure", role: "alert" }, text),
      el("div", { class: "privacy" }, icon("eye"), "Only you can see this • ", dismiss),
    );
    this.onChange();
  }
}
