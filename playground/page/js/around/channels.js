// The channels on the left, with the member at the bottom.

import { el, fill, icon } from "../core/dom.js";
import { state } from "../core/state.js";
import { account } from "./account.js";

/** Draws the left side; `status` is the corner that says how bot and engine are. */
export function drawChannels(node, status) {
  const channels = [...state.channels.values()];
  const texts = channels.filter((channel) => channel.type === 0).sort((a, b) => a.position - b.position);
  const direct = channels.filter((channel) => channel.type === 1);
  fill(
    node,
    el("header", { class: "guild-name" }, state.guild.name),
    el(
      "nav",
      { class: "channels", "aria-label": "Channels" },
      el("div", { class: "channels-heading" }, "Text channels"),
      texts.map((channel) => [channelLink(channel, "hash", channel.name), threadsOf(channel)]),
      direct.length ? el("div", { class: "channels-heading" }, "Direct messages") : null,
      direct.map((channel) => channelLink(channel, "at", state.bot.name)),
    ),
    status,
    account(),
  );
}

function threadsOf(channel) {
  const threads = [...state.channels.values()].filter((each) => each.parent_id === channel.id && each.type === 11);
  const isShown = (thread) => !thread.thread_metadata.archived || thread.id === state.channelId;
  return threads.filter(isShown).map((thread) => channelLink(thread, "thread", thread.name));
}

function channelLink(channel, symbol, name) {
  const isCurrent = channel.id === state.channelId;
  const classes = ["channel", symbol === "thread" ? "sub" : "", isCurrent ? "current" : "", state.unread.has(channel.id) ? "unread" : ""];
  return el(
    "a",
    { class: classes.filter(Boolean).join(" "), href: `#${channel.name || "woodshed"}`, "aria-current": isCurrent ? "page" : null },
    icon(symbol),
    el("span", {}, name),
  );
}
