// The members on the right, by role, with who is there.

import { el, fill } from "../core/dom.js";
import { state } from "../core/state.js";
import { userMenu } from "../chat/message_menu.js";
import { avatar, markOf, nameOf } from "../chat/people.js";

export function drawMembers(node) {
  const roles = [...state.roles.values()].filter((role) => role.hoist).sort((a, b) => b.position - a.position);
  const members = [...state.members.values()].filter((member) => member.playable || (member.simulated && member.is_here) || member.is_bot);
  const groups = roles.map((role) => [role.name, members.filter((member) => member.roles.includes(role.id))]);
  groups.push([state.bot.online ? "Online" : "Offline", members.filter((member) => member.is_bot)]);
  fill(
    node,
    groups
      .filter(([, list]) => list.length)
      .map(([name, list]) => [el("div", { class: "channels-heading" }, `${name} — ${list.length}`), list.map(memberRow)]),
  );
}

function memberRow(member) {
  const isOnline = !member.is_bot || state.bot.online;
  const open = (event) => {
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    userMenu(member, event.clientX || box.left, event.clientY || box.bottom);
  };
  return el(
    "button",
    { class: isOnline ? "member" : "member offline", type: "button", on: { click: open, contextmenu: open } },
    el("span", { class: "presence" }, avatar(member), el("i", { class: isOnline ? "dot online" : "dot" })),
    el(
      "span",
      { class: "member-text" },
      el("span", { class: "member-name" }, nameOf(member), member.is_bot ? markOf(member) : null), // a heading marks the class
      member.is_bot && state.bot.activity ? el("small", { class: "muted" }, state.bot.activity) : null,
    ),
  );
}
