// Buttons, selects and layout components under and in messages.

import { el, icon, safeUrl } from "../core/dom.js";
import { markdown } from "./markdown.js";
import { fileOrPlayer, picture } from "./media.js";
import { closeMenu, showAt } from "../core/popups.js";
import { state } from "../core/state.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "primary" };

/**
 * The components of a message. `use(customId, values)` tells the bot and returns a promise that settles with its answer.
 */
export function messageComponents(list, use) {
  return list.map((component) => render(component, use));
}

function render(component, use) {
  switch (component.type) {
    case 1:
      return el("div", { class: "action-row" }, component.components.map((item) => render(item, use)));
    case 2:
      return button(component, use);
    case 3:
    case 5:
    case 6:
    case 7:
    case 8:
      return select(component, (values) => use(component.custom_id, values));
    case 9:
      return el(
        "div",
        { class: "section" },
        el("div", { class: "section-text" }, component.components.map((item) => render(item, use))),
        render(component.accessory, use),
      );
    case 10:
      return markdown(component.content);
    case 11:
      return picture(component.media.url, component.media, { alt: component.description ?? "", maxWidth: 85, maxHeight: 85 });
    case 12:
      return el(
        "div",
        { class: `gallery count-${Math.min(component.items.length, 4)}` },
        component.items.map((item) =>
          picture(item.media.url, item.media, {
            alt: item.description ?? "",
            maxWidth: component.items.length > 1 ? 272 : 550,
          }),
        ),
      );
    case 13:
      return fileOrPlayer(component.file);
    case 14:
      return el("hr", { class: component.divider === false ? "separator bare" : "separator", data: { spacing: component.spacing ?? 1 } });
    case 17: {
      const node = el("div", { class: "container" }, component.components.map((item) => render(item, use)));
      if (component.accent_color) node.style.borderLeftColor = `#${component.accent_color.toString(16).padStart(6, "0")}`;
      return node;
    }
    default:
      return el("div", { class: "muted" }, `(a component of type ${component.type}, which this page can't show)`);
  }
}

function emoji(data) {
  return data?.name ? el("span", { class: "emoji" }, data.id ? `:${data.name}:` : data.name) : null;
}

function button(component, use) {
  const classes = `button ${STYLES[component.style] ?? "secondary"}`;
  if (component.style === 5) {
    return el(
      "a",
      { class: classes, href: safeUrl(component.url), target: "_blank", rel: "noopener noreferrer" },
      emoji(component.emoji),
      component.label,
      icon("link"),
    );
  }
  const node = el(
    "button",
    { class: classes, type: "button", disabled: component.disabled ?? false, data: { customId: component.custom_id ?? "" } },
    emoji(component.emoji),
    component.label ? el("span", {}, component.label) : null,
  );
  node.addEventListener("click", async () => {
    if (node.classList.contains("busy")) return;
    node.classList.add("busy");
    await use(component.custom_id);
    node.classList.remove("busy");
  });
  return node;
}

/** What can be chosen in a select, whatever its type: `{value, label, description, emoji, isDefault}`. */
export function selectable(component) {
  const chosen = new Set((component.default_values ?? []).map((item) => item.id));
  const people = [...state.members.values()].map((m) => ({ value: m.id, label: m.name, isDefault: chosen.has(m.id) }));
  const roles = [...state.roles.values()].map((r) => ({ value: r.id, label: r.name, isDefault: chosen.has(r.id) }));
  if (component.type === 3) {
    return component.options.map((option) => ({ ...option, isDefault: option.default ?? false }));
  }
  if (component.type === 5) return people;
  if (component.type === 6) return roles;
  if (component.type === 7) return [...people, ...roles];
  return [...state.channels.values()]
    .filter((channel) => channel.type === 0)
    .map((channel) => ({ value: channel.id, label: `#${channel.name}`, isDefault: chosen.has(channel.id) }));
}

/** A select menu; `onChoose(values)` when something was chosen (with several: when the list is closed). */
export function select(component, onChoose) {
  const options = selectable(component);
  const low = component.min_values ?? 1;
  const high = component.max_values ?? 1;
  let values = options.filter((option) => option.isDefault).map((option) => option.value);
  const label = el("span", { class: "select-label" });
  const node = el(
    "button",
    { class: "select", type: "button", disabled: component.disabled ?? false, "aria-haspopup": "listbox", data: { customId: component.custom_id } },
    label,
    icon("chevron"),
  );
  const show = () => {
    const names = options.filter((option) => values.includes(option.value)).map((option) => option.label);
    label.textContent = names.length ? names.join(", ") : (component.placeholder ?? "Make a selection");
    label.classList.toggle("muted", !names.length);
  };
  const choose = async (chosen) => {
    values = chosen;
    show();
    node.classList.add("busy");
    await onChoose(values);
    node.classList.remove("busy");
  };
  node.addEventListener("click", () => openList(node, options, values, low, high, choose));
  show();
  return node;
}

function openList(anchor, options, before, low, high, choose) {
  const chosen = new Set(before);
  let isDone = false;
  const list = el("div", { class: "select-list", role: "listbox" });
  const single = high === 1;
  const finish = () => {
    if (isDone) return;
    isDone = true;
    const values = options.map((option) => option.value).filter((value) => chosen.has(value));
    const isChanged = values.join("\n") !== before.join("\n");
    if (values.length >= low && values.length <= high && (isChanged || single)) choose(values);
  };
  for (const option of options) {
    const mark = el("span", { class: single ? "radio" : "checkbox" });
    const item = el(
      "button",
      { class: "select-option", type: "button", role: "option", "aria-selected": String(chosen.has(option.value)) },
      emoji(option.emoji),
      el("span", { class: "select-text" }, el("span", {}, option.label), option.description ? el("small", {}, option.description) : null),
      mark,
    );
    item.addEventListener("click", () => {
      if (single) {
        chosen.clear();
        chosen.add(option.value);
        finish();
        closeMenu();
        return;
      }
      if (chosen.has(option.value)) chosen.delete(option.value);
      else if (chosen.size < high) chosen.add(option.value);
      item.setAttribute("aria-selected", String(chosen.has(option.value)));
    });
    list.append(item);
  }
  const box = anchor.getBoundingClientRect();
  list.style.width = `${box.width}px`;
  const height = Math.min(options.length * 44 + 16, 320);
  const below = box.bottom + height + 8 < innerHeight;
  anchor.focus();
  showAt(list, box.left, below ? box.bottom + 4 : box.top - height - 4, single ? () => {} : finish);
  (list.querySelector('[aria-selected="true"]') ?? list.firstElementChild)?.focus();
}
