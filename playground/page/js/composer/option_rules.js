// What an option of a slash command accepts: its type, its choices, and the sentence for what doesn't fit.

import { mebibytes } from "../core/dom.js";
import { localized, state } from "../core/state.js";

export const STRING = 3;
export const INTEGER = 4;
export const BOOLEAN = 5;
export const USER = 6;
export const CHANNEL = 7;
export const ROLE = 8;
export const MENTIONABLE = 9;
export const NUMBER = 10;
export const ATTACHMENT = 11;

const LONGEST_TEXT = 6000;

/** The limits of an option, as Discord's composer words them: "at least 4, at most 64". */
export function limitsOf(option) {
  const limits = [];
  if (option.min_value !== undefined) limits.push(`at least ${option.min_value}`);
  if (option.max_value !== undefined) limits.push(`at most ${option.max_value}`);
  if (option.min_length) limits.push(`at least ${option.min_length} characters`);
  if (option.max_length) limits.push(`at most ${option.max_length} characters`);
  return limits.join(", ");
}

/** What Discord's composer would refuse, as a sentence, or null. `field` is the option's field in the form. */
export function faultOf(option, value, field) {
  const name = localized(option, "name");
  if (value === null) return option.required ? `${name}: this option is required. Specify a value.` : null;
  if (option.type === ATTACHMENT) return fileFault(name, value);
  if (field.choices && !field.choices.some((choice) => choice.value === value)) return `${name}: choose one from the list.`;
  if (option.type === INTEGER || option.type === NUMBER) return numberFault(name, option, value);
  return option.type === STRING ? textFault(name, option, value) : null;
}

function fileFault(name, file) {
  const limit = state.switches.attachment_size_limit;
  return file.size > limit ? `${name}: your file is too large. The limit is ${mebibytes(limit)}.` : null;
}

function numberFault(name, option, value) {
  if (option.type === INTEGER && !Number.isInteger(value)) return `${name}: enter a whole number.`;
  if (typeof value !== "number") return `${name}: enter a number.`;
  if (option.min_value !== undefined && value < option.min_value) return `${name}: enter at least ${option.min_value}.`;
  if (option.max_value !== undefined && value > option.max_value) return `${name}: enter at most ${option.max_value}.`;
  return null;
}

function textFault(name, option, value) {
  const longest = option.max_length ?? LONGEST_TEXT;
  if (value.length > longest) return `${name}: enter at most ${longest} characters.`;
  if (value.length < (option.min_length ?? 0)) return `${name}: enter at least ${option.min_length} characters.`;
  return null;
}

/** The fixed choices of an option as `{name, value}`, or null where the text is free. */
export function choicesOf(option) {
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
