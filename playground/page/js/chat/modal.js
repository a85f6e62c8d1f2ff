// Modals: the forms that a bot opens.

import { Refused, api } from "../core/api.js";
import { select } from "./components.js";
import { append, el, icon } from "../core/dom.js";
import { markdown } from "./markdown.js";

/** Shows a modal and submits it. `content` is the bot's answer with the id of the interaction that opened it. */
export function openModal(content, channelId) {
  const fields = {};
  const files = [];
  const fault = el("div", { class: "failure", role: "alert" });
  const submit = el("button", { class: "button primary", type: "submit" }, "Submit");
  const cancel = el("button", { class: "button link-like", type: "button" }, "Cancel");
  const form = el(
    "form",
    { method: "dialog", class: "modal-form" },
    el("header", {}, el("h2", {}, content.title), el("button", { class: "tool", type: "button", title: "Close", on: { click: () => dialog.close() } }, icon("close"))),
    el("div", { class: "modal-body" }, content.components.map((row) => modalRow(row, fields, files)), fault),
    el("footer", {}, cancel, submit),
  );
  const dialog = el("dialog", { class: "modal", "aria-label": content.title }, form);
  cancel.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.classList.contains("busy")) return; // an impatient finger hands in once
    submit.classList.add("busy");
    fault.textContent = "";
    files.length = 0; // of an attempt before
    try {
      const values = Object.fromEntries(Object.entries(fields).map(([key, read]) => [key, read()]));
      const body = { kind: "modal", interaction_id: content.interaction_id, fields: values };
      const answer = await api.interact(channelId, body, files);
      if (answer.outcome === "failed") fault.textContent = "Something went wrong. Try again.";
      else dialog.close();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fault.textContent = error.message;
    } finally {
      submit.classList.remove("busy");
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.getElementById("layers").append(dialog);
  dialog.showModal();
  form.querySelector(".modal-body :is(input, textarea, button)")?.focus();
}

function modalRow(row, fields, files) {
  if (row.type === 10) return markdown(row.content);
  const field = row.type === 1 ? row.components[0] : row.component;
  const label = row.type === 1 ? field.label : row.label;
  const isRequired = field.required ?? true;
  const control = input(field, fields, files, isRequired);
  const id = `modal-${field.custom_id}`;
  control.id = id;
  return el(
    "div",
    { class: "modal-row" },
    el("label", { htmlFor: id }, label, isRequired ? el("span", { class: "required" }, " *") : null),
    row.description ? el("small", { class: "muted" }, row.description) : null,
    control,
  );
}

function input(field, fields, files, isRequired) {
  const key = field.custom_id;
  if (field.type === 4) {
    const isLong = field.style === 2;
    const node = el(isLong ? "textarea" : "input", {
      class: "text-input",
      value: field.value ?? "",
      placeholder: field.placeholder ?? "",
      required: isRequired,
      maxLength: field.max_length ?? 4000,
      minLength: field.min_length ?? 0,
    });
    if (isLong) node.rows = 4;
    fields[key] = () => node.value;
    return node;
  }
  if ([3, 5, 6, 7, 8].includes(field.type)) {
    let values = (field.options ?? []).filter((option) => option.default).map((option) => option.value);
    fields[key] = () => values;
    return select({ ...field, min_values: isRequired ? (field.min_values ?? 1) : 0 }, (chosen) => {
      values = chosen;
    });
  }
  if (field.type === 19) {
    const node = el("input", { type: "file", class: "file-input", multiple: (field.max_values ?? 1) > 1 });
    fields[key] = () =>
      [...node.files].slice(0, field.max_values ?? 1).map((file) => ({ upload: files.push(file) - 1 }));
    return node;
  }
  if (field.type === 21 || field.type === 22) {
    const type = field.type === 21 ? "radio" : "checkbox";
    const boxes = (field.options ?? []).map((option) => el("input", { type, name: key, value: option.value, checked: option.default ?? false }));
    const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
    fields[key] = () => (type === "radio" ? (chosen()[0] ?? null) : chosen());
    const node = el("div", { class: "choices" });
    append(node, boxes.map((box, number) => el("label", {}, box, field.options[number].label)));
    return node;
  }
  const box = el("input", { type: "checkbox", checked: field.default ?? false });
  fields[key] = () => box.checked;
  return box;
}
