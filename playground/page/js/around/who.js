// One line at the top: who this tab plays, and how to play somebody else. Staff can bring in a class from there.

import { api } from "../core/api.js";
import { el, icon } from "../core/dom.js";
import { toast } from "../core/popups.js";
import { commandsOfType, state } from "../core/state.js";
import { sentence } from "../chat/message_menu.js";
import { memberAddress, otherMembers } from "./account.js";
import { CLASS_SIZE } from "./switches.js";

const KEY = "who-line-closed";
const MOST_NAMED = 4;
const HELP = "help";

/** The line, or null where it was closed in this tab. */
export function whoLine() {
  if (sessionStorage.getItem(KEY)) return null;
  const others = otherMembers();
  const links = others.slice(0, MOST_NAMED).map((member) => [
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
    el("span", {}, "You're ", el("strong", {}, state.me.name), state.me.is_staff ? ", the course staff." : ", a student.", helpOffer(), " Be somebody else in a new tab:", links, others.length > MOST_NAMED ? ", or one of the others under the gear" : null, state.me.is_staff ? classOffer() : null),
    el("button", { class: "tool", type: "button", title: "Close", "aria-label": "Close this line", on: { click: close } }, icon("close")),
  );
  return node;
}

/** Where a bot explains itself: the welcome scrolls away, this line stays. */
function helpOffer() {
  return el("span", { class: "help-offer", hidden: true }, " New here? Try ", el("button", { class: "link", type: "button", data: { command: HELP } }, `/${HELP}`), ".");
}

/** Shows the offer of /help while the channel on screen has that command. */
export function drawHelpOffer() {
  const offer = document.querySelector(".help-offer");
  if (offer) offer.hidden = !commandsOfType(1).some((command) => command.name === HELP);
}

/** Nobody there to vote? Twelve made-up members are a click away. */
function classOffer() {
  if (state.switches.class_size > 0) return null;
  const bring = async () => {
    try {
      await api.switches({ class_size: CLASS_SIZE });
    } catch (error) {
      toast(sentence(error));
      return;
    }
    node.replaceChildren(`A simulated class of ${CLASS_SIZE} is here. Start a poll or a class quiz.`);
  };
  const node = el("span", { class: "class-offer", role: "status" }, el("button", { class: "link", type: "button", on: { click: bring } }, `Bring in a simulated class of ${CLASS_SIZE}`));
  return node;
}
