// The messages of the channel on screen: loading, adding, changing, grouping, scrolling.

import { api } from "../core/api.js";
import { el, fill, icon } from "../core/dom.js";
import { messageElement, messageMenu, nameOf, avatar, sentence, userMenu } from "./message.js";
import { openModal } from "./modal.js";
import { toast } from "../core/popups.js";
import { memberOf, state } from "../core/state.js";

const GROUP_MS = 7 * 60 * 1000;
const NEAR_BOTTOM_PX = 120;
const PAGE = 50;

/** The list. `onReply(message)` is called when a member wants to answer a message. */
export function createMessageList(onReply) {
  const list = el("ol", { class: "messages", role: "log", "aria-label": "Messages" });
  const scroller = el("div", { class: "scroller" }, el("div", { class: "beginning" }), list);
  const shown = new Map();
  let isComplete = true;
  let isLoading = false;
  const actions = { reply: onReply, jump };

  function jump(messageId) {
    const node = shown.get(messageId)?.node;
    node?.scrollIntoView({ block: "center", behavior: "smooth" });
    node?.classList.add("flash");
    setTimeout(() => node?.classList.remove("flash"), 1500);
  }

  const isNearBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM_PX;
  const toBottom = () => {
    scroller.scrollTop = scroller.scrollHeight;
  };
  // Pictures and players grow the list after it was scrolled: whoever was at the bottom stays there.
  let stick = true;
  scroller.addEventListener("scroll", () => {
    stick = isNearBottom();
    if (scroller.scrollTop < 200) loadOlder();
  });
  new ResizeObserver(() => stick && toBottom()).observe(list);

  async function open(channel) {
    shown.clear();
    fill(list);
    fill(scroller.firstChild, beginning(channel));
    const messages = await api.history(channel.id);
    if (channel.id !== state.channelId) return;
    for (const message of messages) if (!shown.has(message.id)) add(message);
    isComplete = messages.length < PAGE;
    regroup();
    stick = true;
    toBottom();
  }

  async function loadOlder() {
    if (isComplete || isLoading || !shown.size) return;
    isLoading = true;
    const channelId = state.channelId;
    const oldest = list.querySelector("[data-id]").dataset.id;
    const messages = await api.history(channelId, oldest);
    isLoading = false;
    if (channelId !== state.channelId) return;
    isComplete = messages.length < PAGE;
    const before = scroller.scrollHeight - scroller.scrollTop;
    for (const message of messages.reverse()) add(message, true);
    regroup();
    scroller.scrollTop = scroller.scrollHeight - before;
  }

  function add(message, atStart = false) {
    const node = messageElement(message, actions);
    shown.set(message.id, { message, node });
    if (atStart) list.prepend(node);
    else list.append(node);
  }

  function upsert(message) {
    const old = shown.get(message.id);
    if (!old) {
      const follow = stick || message.author.id === state.me.id;
      add(message);
      regroup();
      if (follow) toBottom();
      return;
    }
    const node = messageElement(message, actions);
    keepPlaying(old, node, message);
    node.className = `${node.className} ${old.node.classList.contains("grouped") ? "grouped" : ""}`.trim();
    old.node.replaceWith(node);
    shown.set(message.id, { message, node });
    regroup();
  }

  // An edit that leaves the files alone must not stop the clip that is playing.
  function keepPlaying(old, node, message) {
    const ids = (m) => m.attachments.map((a) => a.id).join();
    const [before, after] = [old.node.querySelector(".attachments"), node.querySelector(".attachments")];
    if (before && after && ids(old.message) === ids(message)) after.replaceWith(before);
  }

  function remove(messageId) {
    shown.get(messageId)?.node.remove();
    shown.delete(messageId);
    regroup();
  }

  /** Short messages of one author in a row share one head; whatever carries more stands by itself. */
  function regroup() {
    let previous = null;
    for (const node of list.children) {
      const entry = shown.get(node.dataset.id);
      const message = entry?.message ?? null;
      const isGrouped =
        previous !== null &&
        message !== null &&
        previous.author.id === message.author.id &&
        message.type === 0 &&
        isPlain(message) &&
        isPlain(previous) &&
        Boolean(previous.flags & 64) === Boolean(message.flags & 64) &&
        new Date(message.timestamp) - new Date(previous.timestamp) < GROUP_MS;
      node.classList.toggle("grouped", isGrouped);
      previous = message;
    }
  }

  list.addEventListener("contextmenu", (event) => {
    const user = event.target.closest("[data-user]");
    const node = event.target.closest("[data-id]");
    if (event.target.closest("a, audio, video, input") || (!user && !node)) return;
    event.preventDefault();
    if (user) userMenu(memberOf(user.dataset.user), event.clientX, event.clientY);
    else messageMenu(shown.get(node.dataset.id).message, event.clientX, event.clientY, onReply);
  });
  list.addEventListener("click", (event) => {
    const user = event.target.closest("[data-user]");
    if (user && !event.target.closest(".reply")) userMenu(memberOf(user.dataset.user), event.clientX, event.clientY);
  });

  /** A line that only this tab sees while the bot is asked; its `done(answer)` acts on what came of it. */
  function pending(what) {
    const channelId = state.channelId;
    const status = el("span", { class: "muted" }, "Sending command…");
    const node = el(
      "li",
      { class: "message pending" },
      el("div", { class: "message-context" }, avatar(state.me, "avatar tiny"), nameOf(state.me), " used ", el("span", { class: "command-name" }, what)),
      el("div", { class: "pending-body" }, status),
    );
    list.append(node);
    toBottom();
    return {
      done(answer) {
        if (answer.outcome === "failed" || answer.outcome === "refused") {
          const text = answer.outcome === "failed" ? "The application did not respond" : answer.content;
          const dismiss = el("button", { class: "link", type: "button", on: { click: () => node.remove() } }, "Dismiss message");
          fill(node.querySelector(".pending-body"), el("div", { class: "failure", role: "alert" }, text), el("div", { class: "privacy" }, icon("eye"), "Only you can see this • ", dismiss));
          if (stick) toBottom();
          return;
        }
        node.remove();
        if (answer.outcome === "modal") openModal(answer.content, channelId);
      },
    };
  }

  return { element: scroller, open, upsert, remove, pending, jump };
}

function isPlain(message) {
  return !message.embeds.length && !message.components.length && (!message.author.bot || !message.attachments.length);
}

function beginning(channel) {
  if (channel.type === 1) {
    return [el("h1", {}, "Woodshed"), el("p", { class: "muted" }, "This is the beginning of your direct messages with Woodshed.")];
  }
  return [
    el("div", { class: "beginning-mark" }, icon("hash")),
    el("h1", {}, `Welcome to #${channel.name}!`),
    el("p", { class: "muted" }, `This is the start of the #${channel.name} channel. ${channel.topic}`),
  ];
}

/** Reports a failed request of an event handler to the member. */
export function report(promise) {
  promise.catch((error) => toast(sentence(error)));
}
