// The line over the messages.

import { el, fill, icon } from "../core/dom.js";
import { currentChannel, state } from "../core/state.js";
import { openSwitches } from "./switches.js";

/** Draws the header; `toggle(name)` opens and closes the drawers of narrow windows. */
export function drawHeader(node, toggle) {
  const channel = currentChannel();
  const isDirect = channel.type === 1;
  fill(
    node,
    tool("menu", "Channels", () => toggle("channels"), "tool only-narrow"),
    icon(symbolOf(channel)),
    el("h1", {}, isDirect ? state.bot.name : channel.name),
    channel.topic ? el("span", { class: "topic" }, channel.topic) : null,
    !isDirect && !channel.bot_may_attach ? el("span", { class: "warning" }, `${state.bot.name} can't attach files here`) : null,
    el("span", { class: "spring" }),
    state.me.is_staff ? tool("gear", "Server switches", openSwitches) : null,
    tool("people", "Members", () => toggle("members"), "tool only-medium"),
  );
}

/** The sign of a channel: text, direct or thread. */
export function symbolOf(channel) {
  if (channel.type === 1) return "at";
  return channel.type === 11 ? "thread" : "hash";
}

function tool(symbol, title, action, className = "tool") {
  return el("button", { class: className, type: "button", title, "aria-label": title, on: { click: action } }, icon(symbol));
}
