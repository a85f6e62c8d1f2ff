// How members look: avatars and names.

import { el } from "../core/dom.js";
import { nameColour, shortName } from "../core/state.js";

/** The round picture of a member: the first letter on the member's colour. */
export function avatar(member, className = "avatar") {
  return el("span", { class: className, style: { "--colour": member.colour }, "aria-hidden": "true" }, member.name[0]);
}

/** A member's name; a click or right click on it offers the user menus. */
export function nameOf(member) {
  const node = el("span", { class: "name", data: { user: member.id } }, shortName(member));
  const colour = nameColour(member);
  if (colour) node.style.setProperty("--role-colour", colour);
  return node;
}

/** The mark after the name of whoever isn't a person: the bot, or one of the simulated class. */
export function markOf(member) {
  if (member.is_bot) return el("span", { class: "tag" }, "APP");
  if (!member.simulated) return null;
  return el("span", { class: "tag made-up", title: "Simulated: there's nobody behind this name" }, "SIM");
}
