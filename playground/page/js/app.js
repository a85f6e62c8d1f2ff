// The page: reads the state, draws the rooms, listens to what happens.

import { Refused, api, listen } from "./core/api.js";
import { createComposer } from "./composer/composer.js";
import { append, el, fill, icon } from "./core/dom.js";
import { avatar } from "./chat/message.js";
import { createMessageList, report } from "./chat/message_list.js";
import { keepTimestampsFresh } from "./chat/markdown.js";
import { drawChannels, drawHeader, drawMembers } from "./around/sidebar.js";
import { currentChannel, memberOf, state } from "./core/state.js";

const TYPING_MS = 10000;
const app = document.getElementById("app");

/** Asks whom this tab plays. */
function chooseMember() {
  const people = [
    ["ada", "Ada", "Student", "#5865f2"],
    ["ben", "Ben", "Student", "#3ba55c"],
    ["thelonia", "Thelonia", "Course staff", "#eb459e"],
  ];
  fill(
    app,
    el(
      "main",
      { class: "chooser" },
      el("img", { src: "/page/files/icon.svg", alt: "", width: 72, height: 72 }),
      el("h1", {}, "Woodshed's playground"),
      el("p", { class: "muted" }, "A small Discord on your machine. Who are you in this tab? Open more tabs to play the others."),
      el(
        "div",
        { class: "chooser-members" },
        people.map(([slug, name, role, colour]) =>
          el("a", { class: "chooser-member", href: `/?member=${slug}${location.hash}` }, avatar({ name, colour }, "avatar large"), el("strong", {}, name), el("span", { class: "muted" }, role)),
        ),
      ),
    ),
  );
}

function readState(answer) {
  state.guild = answer.guild;
  state.members = new Map(answer.members.map((member) => [member.id, member]));
  state.roles = new Map(answer.roles.map((role) => [role.id, role]));
  state.channels = new Map(answer.channels.map((channel) => [channel.id, channel]));
  state.bot = answer.bot;
  state.switches = answer.switches;
  state.me = answer.me;
}

async function start() {
  readState(await api.state());
  document.title = `${state.me.name} · ${state.guild.name}`;
  const sidebar = el("aside", { class: "sidebar" });
  const header = el("header", { class: "channel-header" });
  const members = el("aside", { class: "members", "aria-label": "Members" });
  const banner = el("div", { class: "banner", role: "status" });
  const typing = el("div", { class: "typing", role: "status" });
  let composer = null;
  const list = createMessageList((message) => composer.reply(message));
  composer = createComposer(list.pending);
  state.pending = list.pending;
  const chat = el("main", { class: "chat" }, header, banner, el("div", { class: "chat-body" }, el("section", { class: "chat-main" }, list.element, composer.element, typing), members));
  fill(
    app,
    el("div", { class: "shell" }, el("nav", { class: "rail", "aria-label": "Servers" }, el("img", { src: "/page/files/icon.svg", alt: state.guild.name, width: 48, height: 48 })), sidebar, chat),
  );

  const typists = new Map();
  let isConnected = true;

  function drawBanner() {
    const text = !isConnected ? "The playground does not answer. Reconnecting…" : state.bot.online ? "" : "Woodshed is offline: its commands will fail until it logs in.";
    banner.textContent = text;
  }

  function drawTyping() {
    const now = Date.now();
    const names = [...typists].filter(([, entry]) => entry.until > now && entry.channelId === state.channelId).map(([id]) => memberOf(id).name);
    fill(typing);
    if (names.length) append(typing, [el("span", { class: "dots" }, el("i"), el("i"), el("i")), el("strong", {}, names.join(", ")), names.length > 1 ? " are typing…" : " is typing…"]);
  }

  function drawAround() {
    drawChannels(sidebar);
    drawHeader(header);
    drawMembers(members);
    drawBanner();
  }

  async function openChannel() {
    const name = decodeURIComponent(location.hash.slice(1));
    const channels = [...state.channels.values()];
    const channel = channels.find((c) => (c.name || "woodshed") === name) ?? channels.find((c) => c.type === 0);
    state.channelId = channel.id;
    state.unread.delete(channel.id);
    drawAround();
    composer.enter(channel);
    drawTyping();
    await list.open(channel);
  }

  async function refresh() {
    readState(await api.state());
    if (!currentChannel()) location.hash = "";
    drawAround();
    composer.refreshCommands();
  }

  const handlers = {
    MESSAGE_CREATE(message) {
      typists.delete(message.author.id);
      drawTyping();
      if (message.channel_id === state.channelId) list.upsert(message);
      else {
        state.unread.add(message.channel_id);
        drawChannels(sidebar);
      }
    },
    MESSAGE_UPDATE(message) {
      if (message.channel_id === state.channelId) list.upsert(message);
    },
    MESSAGE_DELETE(message) {
      if (message.channel_id === state.channelId) list.remove(message.id);
    },
    TYPING_START({ channel_id: channelId, user_id: userId }) {
      typists.set(userId, { channelId, until: Date.now() + TYPING_MS });
      drawTyping();
      setTimeout(drawTyping, TYPING_MS + 100);
    },
    BOT_STATUS(status) {
      Object.assign(state.bot, status);
      drawMembers(members);
      drawBanner();
    },
    COMMANDS_UPDATE: () => report(refresh()),
    CHANNELS_UPDATE: () => report(refresh()),
  };

  let wasLost = false;
  listen(
    (event, body) => handlers[event]?.(body),
    (isUp) => {
      isConnected = isUp;
      if (isUp && wasLost) report(refresh().then(openChannel));
      wasLost = !isUp;
      drawBanner();
    },
  );
  addEventListener("hashchange", () => report(openChannel()));
  // The browser reports a followed link only later, when the member may already be typing. So a click opens its channel itself.
  sidebar.addEventListener("click", (event) => {
    const link = event.target.closest("a.channel");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.hash !== location.hash) history.pushState(null, "", link.hash);
    report(openChannel());
  });
  // A link to a message: open its channel, if that isn't the one on screen, then go there.
  list.element.addEventListener("click", (event) => {
    const target = event.target.closest("[data-jump]");
    if (!target) return;
    event.preventDefault();
    const isHere = target.hash.slice(1) === currentChannel().name;
    if (!isHere) history.pushState(null, "", target.hash);
    report((isHere ? Promise.resolve() : openChannel()).then(() => list.jump(target.dataset.jump)));
  });
  acceptDrops(chat, composer);
  addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, dialog, .popup");
    if (!isTyping && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) composer.focus();
  });
  keepTimestampsFresh();
  await openChannel();
  composer.focus();
}

function acceptDrops(chat, composer) {
  const veil = el("div", { class: "drop-veil" }, el("div", {}, icon("file"), "Drop to attach"));
  let depth = 0;
  const show = (change) => {
    depth = Math.max(0, depth + change);
    if (depth) chat.append(veil);
    else veil.remove();
  };
  chat.addEventListener("dragenter", (event) => {
    if ([...event.dataTransfer.types].includes("Files")) show(1);
  });
  chat.addEventListener("dragleave", (event) => {
    if ([...event.dataTransfer.types].includes("Files")) show(-1);
  });
  chat.addEventListener("dragover", (event) => event.preventDefault());
  chat.addEventListener("drop", (event) => {
    event.preventDefault();
    show(-depth);
    composer.take([...event.dataTransfer.files]);
  });
}

if (!state.memberSlug) chooseMember();
else {
  start().catch((error) => {
    const text = error instanceof Refused ? error.message : String(error);
    fill(app, el("main", { class: "chooser" }, el("h1", {}, "This didn't work"), el("p", {}, text), el("a", { class: "button primary", href: "/" }, "Choose a member")));
    if (!(error instanceof Refused)) throw error;
  });
}
