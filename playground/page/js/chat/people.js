// How members look: avatars and names.

import { el } from "../core/dom.js";
import { nameColour } from "../core/state.js";

/** The round picture of a member: the first letter on the member's colour. */
export function avatar(member, className = "avatar") {
  return el("span", { class: className, style: { "--colour": member.colour }, "aria-hidden": "true" }, member.name[0]);
}

/** A member's name; a click or right click on it offers the user menus. */
export function nameOf(member) {
  const node = el("span", { class: "name", data: { user: member.id } }, member.name);
  const colour = nameColour(member);
  if (colour) node.style.setProperty("--role-colour", colour);
  return node;
}
