// The line over the messages.

import { el, fill, icon } from "../core/dom.js";
import { currentChannel, state } from "../core/state.js";
import { openSwitches } from "./switches.js";

export function drawHeader(node) {
  const channel = currentChannel();
  const isDirect = channel.type === 1;
  fill(
    node,
    icon(isDirect ? "at" : "hash"),
    el("h1", {}, isDirect ? "Woodshed" : channel.name),
    channel.topic ? el("span", { class: "topic" }, channel.topic) : null,
    !isDirect && !channel.bot_may_attach ? el("span", { class: "warning" }, "Woodshed can't attach files here") : null,
    state.me.is_staff
      ? el("button", { class: "tool", type: "button", title: "Server switches", "aria-label": "Server switches", on: { click: openSwitches } }, icon("gear"))
      : null,
  );
}
