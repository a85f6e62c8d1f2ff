// One line at the top: who this tab plays, and how to play somebody else.

import { el, icon } from "../core/dom.js";
import { state } from "../core/state.js";
import { memberAddress, otherMembers } from "./account.js";

const KEY = "who-line-closed";

/** The line, or null where it was closed in this tab. */
export function whoLine() {
  if (sessionStorage.getItem(KEY)) return null;
  const links = otherMembers().map((member) => [
    " ",
    el("a", { href: memberAddress(member), target: "_blank" }, member.is_staff ? `${member.name} (course staff)` : member.name),
  ]);
  const close = () => {
    sessionStorage.setItem(KEY, "yes");
    node.remove();
  };
  const node = el(
    "div",
    { class: "who-line" },
    el("span", {}, "You're ", el("strong", {}, state.me.name), state.me.is_staff ? ", the course staff." : ", a student.", " Be somebody else in a new tab:", links),
    el("button", { class: "tool", type: "button", title: "Close", "aria-label": "Close this line", on: { click: close } }, icon("close")),
  );
  return node;
}
