// The top of a channel: what it is for, and what to try while it is empty.

import { el, icon } from "../core/dom.js";
import { commandsOfType, state } from "../core/state.js";
import { symbolOf } from "../around/header.js";
import { isForMe, leavesOf } from "../composer/command_list.js";

export function beginning(channel) {
  if (channel.type === 1) {
    return [el("h1", {}, state.bot.name), el("p", { class: "muted" }, `This is the start of your direct messages with ${state.bot.name}.`)];
  }
  return [
    el("div", { class: "beginning-mark" }, icon(symbolOf(channel))),
    el("h1", {}, channel.type === 11 ? channel.name : `Welcome to #${channel.name}!`),
    el("p", { class: "muted" }, channel.type === 11 ? "This is the start of the thread." : (about(channel) || `This is the start of the #${channel.name} channel.`)),
    hints(channel),
  ];
}

/** The topic without the commands at its end: they stand below, to be clicked. */
function about(channel) {
  return (channel.topic ?? "").replace(/:\s*\/[\w\s,/-]*$/, ".");
}

/** The commands that the channel's topic names, as buttons that open their forms. */
function hints(channel) {
  const named = [...(channel.topic ?? "").matchAll(/\/([\w-]+(?: [\w-]+)?)/g)].map((match) => match[1]);
  const leaves = commandsOfType(1).flatMap(leavesOf).filter(isForMe);
  const found = [...new Set(named.map((name) => leaves.find((leaf) => name === leaf.title) ?? leaves.find((leaf) => name.startsWith(`${leaf.title} `))))].filter(Boolean);
  if (!found.length) return null;
  return el(
    "div",
    { class: "hints" },
    el("p", {}, "Try one of these:"),
    found.map((leaf) =>
      el("button", { class: "hint", type: "button", data: { command: leaf.title } }, el("span", { class: "command-name" }, `/${leaf.title}`), " ", leaf.description),
    ),
  );
}
