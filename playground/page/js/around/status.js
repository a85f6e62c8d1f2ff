// The corner that says how bot and engine are, so that a command in the first seconds is no mystery.

import { el, fill } from "../core/dom.js";
import { state } from "../core/state.js";

/** The words for the state of things; `isConnected`: whether this page hears the playground. */
export function statusText(isConnected) {
  if (!isConnected) return "The playground doesn't answer. Reconnecting…";
  if (state.bot.online) return state.bot.activity || `${state.bot.name} is online`;
  if (state.bot.process === "starting") return `${state.bot.name} is starting. Give it a few seconds…`;
  if (state.bot.process === "stopped") return `${state.bot.name} has stopped. The terminal says why.`;
  return `${state.bot.name} is offline: its commands won't work until it logs in.`;
}

export function drawStatus(node, isConnected) {
  const isGood = isConnected && state.bot.online;
  fill(node, el("i", { class: isGood ? "dot online" : "dot" }), el("span", {}, statusText(isConnected)));
}
