// The list of commands that "/" opens.

import { el, fill } from "../core/dom.js";
import { activeIndex, moveActive, setActive } from "../core/listbox.js";
import { commandsOfType, localized, state } from "../core/state.js";

const SUBCOMMAND = 1;
const GROUP = 2;
const USED = "used-commands";

export class CommandList {
  /** `onChoose(leaf)` gets the command that was chosen; `input` is the text field that the list belongs to. */
  constructor(input, onChoose) {
    this.input = input;
    this.onChoose = onChoose;
    this.element = el("div", { class: "command-list", role: "listbox", "aria-label": "Commands" });
  }

  get items() {
    return [...this.element.querySelectorAll(".command-item")];
  }

  /** Shows the commands that match a text that starts with "/"; for any other text the list is closed. */
  update(typed) {
    if (!typed.startsWith("/") || typed.includes("\n")) {
      this.close();
      return;
    }
    const leaves = ranked(commandsOfType(1).flatMap(leavesOf), typed.slice(1).toLowerCase().trim());
    const heading = el("div", { class: "menu-heading" }, state.bot.online ? state.bot.name : `${state.bot.name} (offline)`);
    const empty = el("div", { class: "muted empty", role: "status" }, "No command matches.");
    fill(this.element, heading, leaves.length ? leaves.map((leaf) => this.item(leaf)) : empty);
    this.input.setAttribute("aria-expanded", "true");
    setActive(this.items, leaves.length ? 0 : -1, this.input);
  }

  close() {
    fill(this.element);
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  item(leaf) {
    const names = leaf.options.map((option) => el("span", { class: option.required ? "option-tag required" : "option-tag" }, localized(option, "name")));
    const choose = () => {
      remember(leaf.title);
      this.onChoose(leaf);
    };
    return el(
      "button",
      { class: "command-item", type: "button", role: "option", tabIndex: -1, on: { click: choose } },
      el("span", { class: "command-text" }, el("span", { class: "command-title" }, `/${leaf.title}`, " ", names), el("span", { class: "muted" }, leaf.description)),
    );
  }

  /** Acts on arrows, Enter and Tab while the list is open; whether the key was meant for it. */
  handleKey(event) {
    const items = this.items;
    if (moveActive(event, items, this.input)) return true;
    if (!items.length || (event.key !== "Enter" && event.key !== "Tab")) return false;
    event.preventDefault();
    items[Math.max(activeIndex(items), 0)].click();
    return true;
  }
}

/** Whether this member can use a command: by the course's custom, the staff's own begin with "Staff:". */
export function isForMe(leaf) {
  return state.me.is_staff || !/^staff\b/i.test(leaf.description);
}

/** Best first: what starts as typed, is for this member, was used lately, commands of one word, then the alphabet. */
function ranked(leaves, wanted) {
  const used = usedLately();
  const recency = (leaf) => (used.includes(leaf.title) ? used.indexOf(leaf.title) : used.length);
  const starts = (leaf) => Number(leaf.title.toLowerCase().startsWith(wanted));
  return leaves
    .filter((leaf) => leaf.title.toLowerCase().includes(wanted))
    .sort(
      (a, b) =>
        starts(b) - starts(a) ||
        Number(isForMe(b)) - Number(isForMe(a)) ||
        recency(a) - recency(b) ||
        a.path.length - b.path.length ||
        a.title.localeCompare(b.title),
    );
}

function usedLately() {
  return JSON.parse(localStorage.getItem(`${USED}:${state.memberSlug}`) ?? "[]");
}

function remember(title) {
  const used = [title, ...usedLately().filter((other) => other !== title)].slice(0, 20);
  localStorage.setItem(`${USED}:${state.memberSlug}`, JSON.stringify(used));
}

/** Everything of a command that can be sent: itself, or each of its subcommands. */
export function leavesOf(command) {
  const nested = (options, path, title) =>
    options.flatMap((option) => {
      const name = `${title} ${localized(option, "name")}`;
      const further = [...path, option.name];
      if (option.type === GROUP) return nested(option.options ?? [], further, name);
      return [{ command, path: further, title: name, description: localized(option, "description"), options: option.options ?? [] }];
    });
  const options = command.options ?? [];
  if (options.some((option) => option.type === SUBCOMMAND || option.type === GROUP)) {
    return nested(options, [], localized(command, "name"));
  }
  return [{ command, path: [], title: localized(command, "name"), description: localized(command, "description"), options }];
}
