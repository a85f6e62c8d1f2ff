// Reactions under a message, and the small picker for a new one.

import { api } from "../core/api.js";
import { el } from "../core/dom.js";
import { closeMenu, showAt, toast } from "../core/popups.js";
import { memberOf, state } from "../core/state.js";
import { sentence } from "./message_menu.js";

const OFFERED = ["👍", "❤️", "😂", "🎷", "🎉", "🤔", "👀", "🔥", "✅", "❌"];

/** The reactions of a message; null where there are none. */
export function reactionsOf(message) {
  const all = Object.entries(message.reactors ?? {});
  return all.length ? el("div", { class: "reactions" }, all.map(([emoji, users]) => chip(message, emoji, users))) : null;
}

function chip(message, emoji, users) {
  const isMine = users.includes(state.me.id);
  const names = users.map((id) => memberOf(id).name).join(", ");
  return el(
    "button",
    { class: "reaction", type: "button", "aria-pressed": String(isMine), title: names, "aria-label": `${emoji} ${users.length}: ${names}`, on: { click: () => react(message, emoji, !isMine) } },
    emoji,
    " ",
    String(users.length),
  );
}

async function react(message, emoji, isOn) {
  try {
    await api.react(message, emoji, isOn);
  } catch (error) {
    toast(sentence(error));
  }
}

/** Offers a few emoji at (x, y). */
export function pickReaction(message, x, y) {
  const choose = (emoji) => {
    closeMenu();
    react(message, emoji, true);
  };
  const box = el(
    "div",
    { class: "menu emoji-menu", role: "menu", "aria-label": "Add a reaction" },
    OFFERED.map((emoji) => el("button", { class: "emoji-choice", type: "button", role: "menuitem", "aria-label": emoji, on: { click: () => choose(emoji) } }, emoji)),
  );
  showAt(box, x, y);
  box.querySelector("button").focus();
}
