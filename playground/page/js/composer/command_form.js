// The form of one slash command inside the composer: its options, their limits, suggestions, and sending it.

import { Refused, api } from "../core/api.js";
import { el, fill, icon } from "../core/dom.js";
import { localized, state } from "../core/state.js";

const STRING = 3;
const INTEGER = 4;
const BOOLEAN = 5;
const USER = 6;
const CHANNEL = 7;
const ROLE = 8;
const MENTIONABLE = 9;
const NUMBER = 10;
const ATTACHMENT = 11;
const AUTOCOMPLETE_WAIT_MS = 250;

/**
 * A form for `leaf` (`{command, path, options, title}`); `onSend(title, body, files)` gets what was filled in,
 * `onCancel()` is called when the member gives up.
 */
export function createCommandForm(leaf, onSend, onCancel) {
  const fields = new Map();
  const hint = el("div", { class: "command-hint" });
  const fault = el("div", { class: "failure", role: "alert" });
  const suggestions = el("div", { class: "suggestions", role: "listbox" });
  const row = el("div", { class: "option-row" });
  const more = el("div", { class: "more-options" });
  const node = el(
    "form",
    { class: "command-form", autocomplete: "off" },
    suggestions,
    el(
      "div",
      { class: "command-head" },
      el("span", { class: "command-name" }, `/${leaf.title}`),
      el("span", { class: "muted" }, leaf.description),
      el("button", { class: "tool", type: "button", title: "Cancel", on: { click: onCancel } }, icon("close")),
    ),
    row,
    more,
    hint,
    fault,
  );

  for (const option of leaf.options) if (option.required) show(option);
  drawMore();

  function drawMore() {
    const hidden = leaf.options.filter((option) => !fields.has(option.name));
    fill(
      more,
      hidden.map((option) =>
        el(
          "button",
          { class: "more-option", type: "button", title: localized(option, "description"), on: { click: () => { show(option); drawMore(); fields.get(option.name).focus(); } } },
          icon("plus"),
          localized(option, "name"),
        ),
      ),
      el("button", { class: "button primary send", type: "submit" }, "Send"),
    );
  }

  function show(option) {
    const field = option.type === ATTACHMENT ? fileField(option) : textField(option);
    fields.set(option.name, field);
    const remove = option.required
      ? null
      : el("button", { class: "pill-remove", type: "button", title: `Leave ${option.name} out`, on: { click: () => { fields.delete(option.name); pill.remove(); closeSuggestions(); drawMore(); } } }, icon("close"));
    const pill = el("div", { class: "option-pill", data: { option: option.name } }, el("span", { class: "option-name" }, localized(option, "name")), field.element, remove);
    row.append(pill);
  }

  function explain(option) {
    const limits = [];
    if (option.min_value !== undefined) limits.push(`at least ${option.min_value}`);
    if (option.max_value !== undefined) limits.push(`at most ${option.max_value}`);
    if (option.min_length) limits.push(`at least ${option.min_length} characters`);
    if (option.max_length) limits.push(`at most ${option.max_length} characters`);
    fill(
      hint,
      el("strong", {}, localized(option, "name")),
      ` ${localized(option, "description")}`,
      limits.length ? el("span", { class: "muted" }, ` (${limits.join(", ")})`) : null,
    );
  }

  function fileField(option) {
    const picker = el("input", { type: "file", class: "visually-hidden", "aria-label": option.name });
    const label = el("span", {}, "Choose or drop a file");
    const button = el("button", { class: "file-choice", type: "button", on: { click: () => picker.click(), focus: () => explain(option) } }, icon("file"), label);
    let file = null;
    const take = (chosen) => {
      if (!chosen) return;
      file = chosen;
      label.textContent = chosen.name;
      element.classList.remove("wrong");
    };
    picker.addEventListener("change", () => take(picker.files[0]));
    const element = el("div", { class: "file-field" }, button, picker);
    return { element, take, kind: ATTACHMENT, focus: () => button.focus(), value: () => file, text: () => (file ? file.name : "") };
  }

  function textField(option) {
    const input = el("input", { class: "option-input", type: "text", "aria-label": option.name, size: 8 });
    if (option.autocomplete || choicesOf(option)) input.dataset.suggests = "yes";
    let chosen = null;
    let timer = 0;
    const local = choicesOf(option);
    const pick = (choice) => {
      chosen = choice;
      input.value = choice.name;
      fit();
      closeSuggestions();
      next(option);
    };
    const fit = () => {
      input.size = Math.min(Math.max(8, input.value.length + 1), 48);
    };
    const suggest = () => {
      if (local) {
        const typed = chosen ? "" : input.value.toLowerCase();
        openSuggestions(local.filter((choice) => choice.name.toLowerCase().includes(typed)), pick);
      } else if (option.autocomplete) {
        clearTimeout(timer);
        timer = setTimeout(() => ask(option, input, pick), AUTOCOMPLETE_WAIT_MS);
      } else closeSuggestions();
    };
    input.addEventListener("focus", () => {
      explain(option);
      suggest();
    });
    input.addEventListener("input", () => {
      chosen = null;
      element.classList.remove("wrong");
      fit();
      suggest();
    });
    input.addEventListener("keydown", (event) => suggestionKeys(event, option));
    const element = el("div", { class: "text-field" }, input);
    const value = () => {
      if (chosen) return chosen.value;
      const typed = input.value.trim();
      if (!typed) return null;
      const named = local?.find((choice) => choice.name.toLowerCase() === typed.toLowerCase());
      if (named) return named.value;
      if (option.type === NUMBER || option.type === INTEGER) return Number.isNaN(Number(typed)) ? typed : Number(typed);
      return typed;
    };
    return { element, focus: () => input.focus(), value, text: () => input.value, local, isChosen: () => chosen !== null };
  }

  async function ask(option, input, pick) {
    const typed = input.value;
    const body = { kind: "autocomplete", command_id: leaf.command.id, path: leaf.path, focused: option.name, options: {} };
    for (const [name, field] of fields) {
      const value = name === option.name ? typed : field.value();
      if (field.kind !== ATTACHMENT && value !== null) body.options[name] = value;
    }
    fill(suggestions, el("div", { class: "suggestion muted" }, "Loading options…"));
    suggestions.classList.add("open");
    let choices = null;
    try {
      const answer = await api.interact(state.channelId, body);
      if (answer.outcome === "choices") choices = answer.content;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    if (document.activeElement !== input || input.value !== typed) return;
    if (choices === null) fill(suggestions, el("div", { class: "suggestion failure" }, "Loading options failed"));
    else openSuggestions(choices.map((choice) => ({ name: localized(choice, "name"), value: choice.value })), pick);
  }

  function openSuggestions(choices, pick) {
    fill(
      suggestions,
      choices.map((choice, number) =>
        el(
          "button",
          { class: number === 0 ? "suggestion active" : "suggestion", type: "button", role: "option", tabIndex: -1, on: { pointerdown: (event) => event.preventDefault(), click: () => pick(choice) } },
          choice.name,
        ),
      ),
    );
    suggestions.classList.toggle("open", choices.length > 0);
  }

  function closeSuggestions() {
    suggestions.classList.remove("open");
    fill(suggestions);
  }

  function suggestionKeys(event, option) {
    const items = [...suggestions.querySelectorAll("button")];
    const at = items.findIndex((item) => item.classList.contains("active"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!items.length) return;
      event.preventDefault();
      items[at]?.classList.remove("active");
      const to = items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length];
      to.classList.add("active");
      to.scrollIntoView({ block: "nearest" });
    } else if ((event.key === "Enter" || event.key === "Tab") && items.length && !fields.get(option.name).isChosen()) {
      // A name from the list is taken by Enter; a free text that the bot only makes suggestions for is, by Tab, left.
      if (event.key === "Tab" && !fields.get(option.name).local) return;
      event.preventDefault();
      items[Math.max(at, 0)].click();
    }
  }

  /** Moves on to the next option that is still empty. */
  function next(option) {
    const names = [...fields.keys()];
    const rest = names.slice(names.indexOf(option.name) + 1).concat(names);
    const empty = rest.map((name) => fields.get(name)).find((field) => field.value() === null);
    if (empty) empty.focus();
  }

  node.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  node.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      if (suggestions.classList.contains("open")) closeSuggestions();
      else onCancel();
    }
  });
  node.addEventListener("focusout", (event) => {
    if (!node.contains(event.relatedTarget)) closeSuggestions();
  });

  function send() {
    const body = { kind: "command", command_id: leaf.command.id, path: leaf.path, options: {} };
    const files = [];
    for (const option of leaf.options) {
      const field = fields.get(option.name);
      if (!field) continue;
      const value = field.value();
      const wrong = faultOf(option, value, field);
      if (wrong) {
        field.element.classList.add("wrong");
        field.focus();
        fault.textContent = wrong;
        return;
      }
      if (value === null) continue;
      body.options[option.name] = option.type === ATTACHMENT ? { upload: files.push(value) - 1 } : value;
    }
    onSend(leaf.title, body, files);
  }

  return {
    element: node,
    focus: () => ([...fields.values()][0] ?? { focus: () => node.querySelector(".send").focus() }).focus(),
    /** Takes a dropped or pasted file into the first empty file option, showing an optional one if need be. */
    takeFile(file) {
      const option = leaf.options.find((o) => o.type === ATTACHMENT && !fields.get(o.name)?.value());
      if (!option) return;
      if (!fields.has(option.name)) {
        show(option);
        drawMore();
      }
      fields.get(option.name).take(file);
    },
  };
}

/** What Discord's composer would refuse, as a sentence, or null. */
function faultOf(option, value, field) {
  const name = localized(option, "name");
  if (value === null) return option.required ? `${name}: this option is required. Specify a value.` : null;
  if (option.type === ATTACHMENT) {
    const limit = state.switches.attachment_size_limit;
    return value.size > limit ? `${name}: your file is too large. The limit is ${Math.round(limit / 1048576)} MiB.` : null;
  }
  if (field.local && !field.local.some((choice) => choice.value === value)) return `${name}: choose one from the list.`;
  if (option.type === INTEGER && !Number.isInteger(value)) return `${name}: enter a whole number.`;
  if (option.type === NUMBER && typeof value !== "number") return `${name}: enter a number.`;
  if (option.min_value !== undefined && value < option.min_value) return `${name}: enter at least ${option.min_value}.`;
  if (option.max_value !== undefined && value > option.max_value) return `${name}: enter at most ${option.max_value}.`;
  if (option.type === STRING && value.length > (option.max_length ?? 6000)) return `${name}: at most ${option.max_length ?? 6000} characters.`;
  if (option.type === STRING && value.length < (option.min_length ?? 0)) return `${name}: at least ${option.min_length} characters.`;
  return null;
}

/** The fixed choices of an option, or null where the text is free. */
function choicesOf(option) {
  if (option.choices?.length) return option.choices.map((choice) => ({ name: localized(choice, "name"), value: choice.value }));
  const members = () => [...state.members.values()].map((member) => ({ name: member.name, value: member.id }));
  const roles = () => [...state.roles.values()].map((role) => ({ name: role.name, value: role.id }));
  const channels = () => [...state.channels.values()].filter((c) => c.type === 0).map((c) => ({ name: `#${c.name}`, value: c.id }));
  switch (option.type) {
    case BOOLEAN:
      return [{ name: "True", value: true }, { name: "False", value: false }];
    case USER:
      return members();
    case CHANNEL:
      return channels();
    case ROLE:
      return roles();
    case MENTIONABLE:
      return [...members(), ...roles()];
    default:
      return null;
  }
}
