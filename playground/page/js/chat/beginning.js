// The top of a channel: what it is for.

import { el, icon } from "../core/dom.js";

export function beginning(channel) {
  if (channel.type === 1) {
    return [el("h1", {}, "Woodshed"), el("p", { class: "muted" }, "This is the start of your direct messages with Woodshed.")];
  }
  return [
    el("div", { class: "beginning-mark" }, icon("hash")),
    el("h1", {}, `Welcome to #${channel.name}!`),
    el("p", { class: "muted" }, `This is the start of the #${channel.name} channel. ${channel.topic}`),
  ];
}
