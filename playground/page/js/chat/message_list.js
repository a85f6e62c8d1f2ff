// The messages of the channel on screen: loading, adding, changing, grouping.

import { api } from "../core/api.js";
import { el, fill } from "../core/dom.js";
import { memberOf, state } from "../core/state.js";
import { beginning } from "./beginning.js";
import { messageElement } from "./message.js";
import { messageMenu, userMenu } from "./message_menu.js";
import { Pending } from "./pending.js";
import { Scrolling } from "./scrolling.js";

const EPHEMERAL = 1 << 6;
const GROUP_MS = 7 * 60 * 1000;
const FLASH_MS = 1500;
const PAGE = 50;
const SLICE = 5;

export class MessageList {
  /**
   * `onReply(message)` is called when a member wants to answer a message; `listening` settles once the page hears what
   * happens: what was loaded before would miss what is said in between.
   */
  constructor(onReply, listening) {
    this.listening = listening;
    this.list = el("ol", { class: "messages", role: "log", "aria-label": "Messages" });
    this.beginning = el("div", { class: "beginning" });
    this.scroller = el("div", { class: "scroller", tabIndex: 0, "aria-label": "Channel" }, this.beginning, this.list);
    this.scrolling = new Scrolling(this.scroller, this.list, () => this.loadOlder());
    this.element = el("div", { class: "message-area" }, this.scroller, this.scrolling.button);
    this.shown = new Map();
    this.isComplete = true;
    this.isLoading = false;
    this.opening = 0;
    this.gone = new Set();
    this.actions = { reply: onReply, jump: (messageId) => this.jump(messageId) };
    this.listen();
  }

  listen() {
    this.list.addEventListener("contextmenu", (event) => {
      const user = event.target.closest("[data-user]");
      const node = event.target.closest("[data-id]");
      if (event.target.closest("a, audio, video, input") || (!user && !node)) return;
      event.preventDefault();
      if (user) userMenu(memberOf(user.dataset.user), event.clientX, event.clientY);
      else messageMenu(this.shown.get(node.dataset.id).message, event.clientX, event.clientY, this.actions.reply);
    });
    this.list.addEventListener("click", (event) => {
      const user = event.target.closest("[data-user]");
      if (user && !event.target.closest(".reply")) userMenu(memberOf(user.dataset.user), event.clientX, event.clientY);
    });
  }

  /** Shows a channel's last messages; the list is `aria-busy` until they're there. */
  async open(channel) {
    const opening = (this.opening += 1);
    this.shown.clear();
    this.gone.clear();
    fill(this.list);
    fill(this.beginning, beginning(channel));
    this.list.setAttribute("aria-busy", "true");
    try {
      await this.listening;
      const messages = await api.history(channel.id);
      if (opening !== this.opening) return;
      // What was said while they were loading stands below them, and what was deleted meanwhile stays away.
      const missing = messages.filter((message) => !this.shown.has(message.id) && !this.gone.has(message.id));
      this.list.prepend(...missing.map((message) => this.make(message)));
      this.isComplete = messages.length < PAGE;
      this.regroup();
      this.scrolling.toNewest();
    } finally {
      if (opening === this.opening) this.list.setAttribute("aria-busy", "false");
    }
  }

  async loadOlder() {
    if (this.isComplete || this.isLoading || !this.shown.size) return;
    this.isLoading = true;
    const channelId = state.channelId;
    const oldest = this.list.querySelector("[data-id]").dataset.id;
    const messages = await api.history(channelId, oldest);
    // A few in each frame, the youngest first: all at once would hold up the scrolling.
    for (let end = messages.length; end > 0 && channelId === state.channelId; end -= SLICE) {
      const older = messages.slice(Math.max(0, end - SLICE), end);
      this.scrolling.keepPlace(() => {
        this.list.prepend(...older.map((message) => this.make(message)));
        this.regroup(older.length + 1);
      });
      await new Promise(requestAnimationFrame);
    }
    this.isLoading = false;
    if (channelId === state.channelId) this.isComplete = messages.length < PAGE;
  }

  make(message) {
    const node = messageElement(message, this.actions);
    this.shown.set(message.id, { message, node });
    settle(node);
    return node;
  }

  /** Shows a new message, or a changed one in its place. */
  upsert(message) {
    const old = this.shown.get(message.id);
    if (old) this.replace(old, message);
    else this.list.append(this.make(message));
    this.regroup();
    if (!old) this.scrolling.added(isMine(message));
  }

  replace(old, message) {
    const isFocused = old.node.contains(document.activeElement) ? document.activeElement.dataset.customId : null;
    const node = this.make(message);
    keepPlaying(old, node, message);
    keepChosen(old.node, node);
    old.node.replaceWith(node);
    // Whoever pressed a button with the keyboard stays on it when the message is edited.
    if (isFocused) node.querySelector(`[data-custom-id="${CSS.escape(isFocused)}"]`)?.focus();
  }

  /** Draws messages anew at which a thread has started. */
  showThreads() {
    for (const entry of [...this.shown.values()]) {
      const hasLink = entry.node.querySelector(".thread-link") !== null;
      if (state.channels.has(entry.message.id) !== hasLink) this.replace(entry, entry.message);
    }
    this.regroup();
  }

  remove(messageId) {
    this.gone.add(messageId);
    this.shown.get(messageId)?.node.remove();
    this.shown.delete(messageId);
    this.regroup();
  }

  jump(messageId) {
    const node = this.shown.get(messageId)?.node;
    if (!node) return;
    this.scrolling.isFollowing = false;
    this.scrolling.byHand();
    node.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    node.classList.add("flash");
    setTimeout(() => node.classList.remove("flash"), FLASH_MS);
  }

  /** Short messages of one author in a row share one head; whatever carries more stands by itself. Looks at the first
   * `count` lines. */
  regroup(count = Infinity) {
    let previous = null;
    for (const node of this.list.children) {
      if (count-- <= 0) return;
      const message = this.shown.get(node.dataset.id)?.message ?? null;
      const isGrouped = previous !== null && message !== null && belongTogether(previous, message);
      if (node.classList.contains("grouped") !== isGrouped) {
        node.classList.toggle("grouped", isGrouped);
        settle(node);
      }
      previous = message;
    }
  }

  /** A line that only this tab sees while the bot is asked. */
  pending(what) {
    const line = new Pending(what, () => this.scrolling.follow());
    this.list.append(line.element);
    this.scrolling.added(true);
    return line;
  }
}

const fresh = new Set();

/** A line is drawn whole once, so that the browser knows its height; from then on it may skip it while it's out of sight. */
function settle(node) {
  node.classList.remove("settled");
  if (!fresh.size) requestAnimationFrame(() => requestAnimationFrame(settleAll));
  fresh.add(node);
}

function settleAll() {
  for (const node of fresh) node.classList.add("settled");
  fresh.clear();
}

/** Whether this tab's member wrote it, or asked the bot for it. */
function isMine(message) {
  const asked = message.interaction_metadata?.user.id;
  return message.author.id === state.me.id || asked === state.me.id;
}

function belongTogether(previous, message) {
  return (
    previous.author.id === message.author.id &&
    previous.author.username === message.author.username &&
    message.type === 0 &&
    isPlain(message) &&
    isPlain(previous) &&
    Boolean(previous.flags & EPHEMERAL) === Boolean(message.flags & EPHEMERAL) &&
    new Date(message.timestamp) - new Date(previous.timestamp) < GROUP_MS
  );
}

function isPlain(message) {
  return !message.embeds.length && !message.components.length && (!message.author.bot || !message.attachments.length);
}

/** An edit that leaves the files alone must not stop the clip that is playing. */
function keepPlaying(old, node, message) {
  const ids = (m) => m.attachments.map((a) => a.id).join();
  const [before, after] = [old.node.querySelector(".attachments"), node.querySelector(".attachments")];
  if (before && after && ids(old.message) === ids(message)) after.replaceWith(before);
}

/** Somebody else's vote must not take back what is ticked here and not yet sent. */
function keepChosen(before, after) {
  for (const box of before.querySelectorAll(".poll input:checked")) {
    const same = after.querySelector(`.poll input[value="${CSS.escape(box.value)}"]`);
    if (!same) continue;
    same.checked = true;
    same.dispatchEvent(new Event("change"));
  }
}
