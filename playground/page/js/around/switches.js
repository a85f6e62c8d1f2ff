// What the instructor can switch: Discord's moods, to see how the bot takes them.

import { api } from "../core/api.js";
import { el } from "../core/dom.js";
import { showAt, toast } from "../core/popups.js";
import { currentChannel, state } from "../core/state.js";
import { sentence } from "../chat/message_menu.js";

const MIB = 1048576;
export const CLASS_SIZE = 12;

export function openSwitches(event) {
  const channel = currentChannel();
  const box = el(
    "div",
    { class: "menu wide" },
    el("div", { class: "menu-heading" }, "Who is here"),
    toggle(`A simulated class of ${CLASS_SIZE} that votes and answers`, state.switches.class_size > 0, (isOn) => run(api.switches({ class_size: isOn ? CLASS_SIZE : 0 }))),
    el("div", { class: "menu-heading" }, "Test how the bot copes"),
    channel.type === 0 ? attachSwitch(channel) : null,
    toggle("Rate limits", state.switches.rate_limits, (isOn) => {
      state.switches.rate_limits = isOn;
      run(api.switches({ rate_limits: isOn }));
    }),
    el("label", { class: "menu-field row" }, "Upload limit in MiB", uploadLimit()),
    el("button", { class: "menu-item", type: "button", on: { click: () => run(api.dropGateway()) } }, "Cut the bot's connection"),
  );
  const place = event.currentTarget.getBoundingClientRect();
  showAt(box, place.right - 320, place.bottom + 8);
}

function run(promise) {
  promise.catch((error) => toast(sentence(error)));
}

function attachSwitch(channel) {
  return toggle(`${state.bot.name} can attach files in #${channel.name}`, channel.bot_may_attach, (isOn) => run(api.botPermissions(channel.id, { attach_files: isOn })));
}

function uploadLimit() {
  const node = el("input", {
    class: "text-input small",
    type: "number",
    min: 0.01,
    max: 25,
    step: "any",
    value: String(state.switches.attachment_size_limit / MIB),
    "aria-label": "Upload limit in MiB",
  });
  node.addEventListener("change", () => {
    const bytes = Math.round(Number(node.value) * MIB);
    state.switches.attachment_size_limit = bytes;
    run(api.switches({ attachment_size_limit: bytes }));
  });
  return node;
}

function toggle(label, isOn, change) {
  const box = el("input", { type: "checkbox", role: "switch", checked: isOn });
  box.addEventListener("change", () => change(box.checked));
  return el("label", { class: "menu-field row" }, label, box);
}
