// The fields of a command's form: a file, or a text with choices or suggestions.
// Every field has `element`, `focus()`, `value()` (null while empty), `choices` (or null) and `isChosen()`.

import { el, icon } from "../core/dom.js";
import { ATTACHMENT, INTEGER, NUMBER, choicesOf } from "./option_rules.js";

const AUTOCOMPLETE_WAIT_MS = 250;
const NARROWEST = 8;
const WIDEST = 48;

/** The field of an option inside `form` (a CommandForm). */
export function fieldOf(option, form) {
  return option.type === ATTACHMENT ? new FileField(option, form) : new TextField(option, form);
}

class FileField {
  constructor(option, form) {
    this.choices = null;
    this.file = null;
    this.picker = el("input", { type: "file", class: "visually-hidden", tabIndex: -1, "aria-label": option.name });
    this.label = el("span", {}, "Choose or drop a file");
    this.button = el(
      "button",
      { class: "file-choice", type: "button", on: { click: () => this.picker.click(), focus: () => form.explain(option) } },
      icon("file"),
      this.label,
    );
    this.picker.addEventListener("change", () => this.take(this.picker.files[0]));
    this.element = el("div", { class: "file-field" }, this.button, this.picker);
  }

  take(file) {
    if (!file) return;
    this.file = file;
    this.label.textContent = file.name;
    this.element.classList.remove("wrong");
  }

  focus() {
    this.button.focus();
  }

  value() {
    return this.file;
  }

  isChosen() {
    return this.file !== null;
  }
}

class TextField {
  constructor(option, form) {
    this.option = option;
    this.form = form;
    this.choices = choicesOf(option);
    this.chosen = null;
    this.timer = 0;
    this.input = el("input", { class: "option-input", type: "text", size: NARROWEST, "aria-label": option.name });
    if (option.autocomplete || this.choices) {
      this.input.dataset.suggests = "yes";
      this.input.setAttribute("role", "combobox");
      this.input.setAttribute("aria-expanded", "false");
    }
    if (option.type === NUMBER || option.type === INTEGER) this.input.inputMode = "decimal";
    this.input.addEventListener("focus", () => {
      form.explain(option);
      this.suggest();
    });
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => form.suggestions.handleKey(event, this));
    this.element = el("div", { class: "text-field" }, this.input);
  }

  typed() {
    this.chosen = null;
    this.element.classList.remove("wrong");
    this.fit();
    this.suggest();
  }

  fit() {
    this.input.size = Math.min(Math.max(NARROWEST, this.input.value.length + 1), WIDEST);
  }

  suggest() {
    const pick = (choice) => this.pick(choice);
    if (this.choices) {
      const typed = this.chosen ? "" : this.input.value.toLowerCase();
      this.form.suggestions.open(this.choices.filter((choice) => choice.name.toLowerCase().includes(typed)), pick, this.input);
    } else if (this.option.autocomplete) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.form.complete(this.option, this.input, pick), AUTOCOMPLETE_WAIT_MS);
    } else this.form.suggestions.close();
  }

  pick(choice) {
    this.chosen = choice;
    this.input.value = choice.name;
    this.fit();
    this.form.suggestions.close();
    this.form.goOn(this.option);
  }

  focus() {
    this.input.focus();
  }

  /** The chosen value, or what was typed as the option's type; text that is no number stays text. */
  value() {
    if (this.chosen) return this.chosen.value;
    const typed = this.input.value.trim();
    if (!typed) return null;
    const named = this.choices?.find((choice) => choice.name.toLowerCase() === typed.toLowerCase());
    if (named) return named.value;
    const isNumber = this.option.type === NUMBER || this.option.type === INTEGER;
    return isNumber && !Number.isNaN(Number(typed)) ? Number(typed) : typed;
  }

  isChosen() {
    return this.chosen !== null;
  }
}
