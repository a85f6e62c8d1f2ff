// The form of one slash command inside the composer: its options, the bot's suggestions, and sending it.

import { Refused, api } from "../core/api.js";
import { el, fill, icon } from "../core/dom.js";
import { localized, state } from "../core/state.js";
import { fieldOf } from "./option_fields.js";
import { ATTACHMENT, faultOf, limitsOf } from "./option_rules.js";
import { Suggestions } from "./suggestions.js";

export class CommandForm {
  /**
   * A form for `leaf` (`{command, path, options, title}`); `onSend(title, body, files)` gets what was filled in,
   * `onCancel()` is called when the member gives up.
   */
  constructor(leaf, onSend, onCancel) {
    this.leaf = leaf;
    this.onSend = onSend;
    this.onCancel = onCancel;
    this.fields = new Map();
    this.suggestions = new Suggestions();
    this.hint = el("div", { class: "command-hint" });
    this.fault = el("div", { class: "failure", role: "alert" });
    this.row = el("div", { class: "option-row" });
    this.more = el("div", { class: "more-options" });
    this.element = el(
      "form",
      { class: "command-form", autocomplete: "off", "aria-label": `/${leaf.title}` },
      this.suggestions.element,
      this.head(),
      this.row,
      this.more,
      this.hint,
      this.fault,
    );
    this.listen();
    for (const option of leaf.options) if (option.required) this.show(option);
    this.drawMore();
  }

  head() {
    return el(
      "div",
      { class: "command-head" },
      el("span", { class: "command-name" }, `/${this.leaf.title}`),
      el("span", { class: "muted" }, this.leaf.description),
      el("button", { class: "tool", type: "button", title: "Cancel", "aria-label": "Cancel", on: { click: () => this.onCancel() } }, icon("close")),
    );
  }

  listen() {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      if (this.suggestions.isOpen) this.suggestions.close();
      else this.onCancel();
    });
    this.element.addEventListener("focusout", (event) => {
      if (!this.element.contains(event.relatedTarget)) this.suggestions.close();
    });
  }

  /** Draws the buttons that add an option, and the one that sends. */
  drawMore() {
    const hidden = this.leaf.options.filter((option) => !this.fields.has(option.name));
    fill(
      this.more,
      hidden.map((option) =>
        el(
          "button",
          { class: "more-option", type: "button", title: localized(option, "description"), on: { click: () => this.add(option) } },
          icon("plus"),
          localized(option, "name"),
        ),
      ),
      el("button", { class: "button primary send", type: "submit" }, "Send"),
    );
  }

  add(option) {
    this.show(option);
    this.drawMore();
    this.fields.get(option.name).focus();
  }

  show(option) {
    const field = fieldOf(option, this);
    this.fields.set(option.name, field);
    const title = `Leave ${option.name} out`;
    const remove = option.required
      ? null
      : el("button", { class: "pill-remove", type: "button", title, "aria-label": title, on: { click: () => this.leaveOut(option, pill) } }, icon("close"));
    const pill = el("div", { class: "option-pill", data: { option: option.name } }, el("span", { class: "option-name" }, localized(option, "name")), field.element, remove);
    this.row.append(pill);
  }

  leaveOut(option, pill) {
    this.fields.delete(option.name);
    pill.remove();
    this.suggestions.close();
    this.drawMore();
    this.focus();
  }

  explain(option) {
    const limits = limitsOf(option);
    fill(
      this.hint,
      el("strong", {}, localized(option, "name")),
      ` ${localized(option, "description")}`,
      limits ? el("span", { class: "muted" }, ` (${limits})`) : null,
    );
  }

  /** Asks the bot for suggestions to what stands in `input`; an answer that comes after more was typed is dropped. */
  async complete(option, input, pick) {
    const typed = input.value;
    this.suggestions.say("Loading options…");
    const choices = await this.askBot(option, typed);
    if (document.activeElement !== input || input.value !== typed) return;
    if (choices === null) this.suggestions.say("Loading options failed", "failure");
    else this.suggestions.open(choices.map((choice) => ({ name: localized(choice, "name"), value: choice.value })), pick, input);
  }

  async askBot(option, typed) {
    const options = {};
    for (const [name, field] of this.fields) {
      const value = name === option.name ? typed : field.value();
      if (value !== null && !(value instanceof File)) options[name] = value;
    }
    const { command, path } = this.leaf;
    try {
      const answer = await api.interact(state.channelId, { kind: "autocomplete", command_id: command.id, path, focused: option.name, options });
      return answer.outcome === "choices" ? answer.content : null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return null;
    }
  }

  /** Moves on to the next option that is still empty. */
  goOn(option) {
    const names = [...this.fields.keys()];
    const rest = names.slice(names.indexOf(option.name) + 1).concat(names);
    rest.map((name) => this.fields.get(name)).find((field) => field.value() === null)?.focus();
  }

  send() {
    const body = { kind: "command", command_id: this.leaf.command.id, path: this.leaf.path, options: {} };
    const files = [];
    for (const option of this.leaf.options) {
      const field = this.fields.get(option.name);
      if (!field) continue;
      const value = field.value();
      const wrong = faultOf(option, value, field);
      if (wrong) {
        this.refuse(field, wrong);
        return;
      }
      if (value === null) continue;
      body.options[option.name] = option.type === ATTACHMENT ? { upload: files.push(value) - 1 } : value;
    }
    this.onSend(this.leaf.title, body, files);
  }

  refuse(field, sentence) {
    field.element.classList.add("wrong");
    field.focus();
    this.fault.textContent = sentence;
  }

  focus() {
    const first = [...this.fields.values()][0];
    if (first) first.focus();
    else this.element.querySelector(".send").focus();
  }

  /** Takes a dropped or pasted file into the first empty file option, showing an optional one if need be. */
  takeFile(file) {
    const option = this.leaf.options.find((o) => o.type === ATTACHMENT && !this.fields.get(o.name)?.value());
    if (!option) return;
    if (!this.fields.has(option.name)) {
      this.show(option);
      this.drawMore();
    }
    this.fields.get(option.name).take(file);
  }
}
