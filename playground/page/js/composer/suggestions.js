// The list over a command's form: choices of the option that is being filled in.

import { activeIndex, moveActive, setActive } from "../core/listbox.js";
import { el, fill } from "../core/dom.js";

/** One list, shared by all fields of a form. */
export class Suggestions {
  constructor() {
    this.element = el("div", { class: "suggestions", role: "listbox", "aria-label": "Choices" });
  }

  get isOpen() {
    return this.element.classList.contains("open");
  }

  get items() {
    return [...this.element.querySelectorAll("button")];
  }

  /** Shows `{name, value}` choices for `input`; `pick(choice)` gets the one that is chosen. */
  open(choices, pick, input) {
    fill(this.element, choices.map((choice) => item(choice, pick)));
    this.element.classList.toggle("open", choices.length > 0);
    input.setAttribute("aria-expanded", String(choices.length > 0));
    setActive(this.items, choices.length ? 0 : -1, input);
  }

  /** Shows a line instead of choices. */
  say(text, className = "muted") {
    fill(this.element, el("div", { class: `suggestion ${className}`, role: "status" }, text));
    this.element.classList.add("open");
  }

  close() {
    this.element.classList.remove("open");
    fill(this.element);
  }

  /** Acts on the keys of a field: arrows move, Enter takes, and Tab takes where only the list's choices are allowed. */
  handleKey(event, field) {
    const items = this.items;
    if (moveActive(event, items, event.currentTarget)) return;
    const takes = event.key === "Enter" || (event.key === "Tab" && field.choices);
    if (!takes || !items.length || field.isChosen()) return;
    event.preventDefault();
    items[Math.max(activeIndex(items), 0)].click();
  }
}

function item(choice, pick) {
  const keepFocus = (event) => event.preventDefault();
  return el(
    "button",
    { class: "suggestion", type: "button", role: "option", tabIndex: -1, on: { pointerdown: keepFocus, click: () => pick(choice) } },
    choice.name,
  );
}
