// What can be done with a message or a member: the bot's menus, and the page's own entries.

import { Refused, api } from "../core/api.js";
import { icon } from "../core/dom.js";
import { menu, toast } from "../core/popups.js";
import { commandsOfType, localized, state } from "../core/state.js";

const EPHEMERAL = 1 << 6;
const USER_MENU = 2;
const MESSAGE_MENU = 3;

/** The user menus of the bot, for a member's name wherever it stands. */
export function userMenu(member, x, y) {
  const commands = commandsOfType(USER_MENU).map((command) => ({
    label: localized(command, "name"),
    action: () => useMenu(command, member.id, `"${localized(command, "name")}" on ${member.name}`),
  }));
  menu([
    ...(commands.length ? ["Apps", ...commands, null] : []),
    { label: "Copy user ID", action: () => navigator.clipboard?.writeText(member.id) },
  ], x, y);
}

/** What can be done with a message. `reply(message)` prepares an answer to it. */
export function messageMenu(message, x, y, reply) {
  const isPrivate = Boolean(message.flags & EPHEMERAL);
  const commands = isPrivate ? [] : commandsOfType(MESSAGE_MENU);
  const canDelete = message.author.id === state.me.id || state.me.is_staff || isPrivate;
  menu([
    ...(isPrivate ? [] : [{ label: "Reply", icon: icon("reply"), action: () => reply(message) }]),
    ...(commands.length ? [null, "Apps"] : []),
    ...commands.map((command) => ({
      label: localized(command, "name"),
      icon: icon("apps"),
      action: () => useMenu(command, message.id, `"${localized(command, "name")}"`),
    })),
    null,
    ...(canStartThread(message) ? [{ label: "Start a thread", icon: icon("thread"), action: () => startThread(message) }] : []),
    { label: "Copy text", action: () => navigator.clipboard?.writeText(message.content) },
    { label: "Copy message ID", action: () => navigator.clipboard?.writeText(message.id) },
    ...(canDelete ? [{ label: "Delete message", icon: icon("trash"), danger: true, action: () => removeMessage(message) }] : []),
  ], x, y);
}

function canStartThread(message) {
  const isPrivate = Boolean(message.flags & EPHEMERAL);
  return !isPrivate && state.channels.get(message.channel_id)?.type === 0 && !state.channels.has(message.id);
}

async function startThread(message) {
  const words = message.content.replace(/[^\p{L}\p{N} ]+/gu, " ").trim().split(/\s+/).slice(0, 5).join("-");
  try {
    const thread = await api.startThread(message.channel_id, { name: words || "thread", message_id: message.id });
    location.hash = thread.name;
  } catch (error) {
    toast(sentence(error));
  }
}

async function useMenu(command, targetId, what) {
  const notice = state.pending(what);
  try {
    notice.done(await api.interact(state.channelId, { kind: "menu", command_id: command.id, target_id: targetId }));
  } catch (error) {
    notice.done({ outcome: "refused", content: sentence(error) });
  }
}

export async function removeMessage(message) {
  try {
    await api.remove(message.channel_id, message.id);
  } catch (error) {
    toast(sentence(error));
  }
}

/** A refusal as a sentence; anything else is a fault of this page and goes on to the console. */
export function sentence(error) {
  if (error instanceof Refused) return error.message;
  throw error;
}

/** Tells the member when a request of an event handler is refused. */
export function report(promise) {
  promise.catch((error) => toast(sentence(error)));
}
