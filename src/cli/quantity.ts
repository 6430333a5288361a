import { TealError } from "../model/error.ts";

/** The text of an option read as a share, `20%`. @throws `usage` */
export function shareOf(option: string, text: string): number {
  const [, digits] = /^(\d{1,3}(?:\.\d{1,9})?)%$/.exec(text) ?? [];
  if (digits === undefined || Number(digits) > 100) throw refused(option, text, "a percentage from 0% to 100%");
  return Number(digits) / 100;
}

/** `3x`, above 1. @throws `usage` */
export function factorOf(option: string, text: string): number {
  const [, digits] = /^(\d{1,4}(?:\.\d{1,9})?)x$/.exec(text) ?? [];
  if (digits === undefined || Number(digits) <= 1) throw refused(option, text, "a factor above 1x, such as 3x");
  return Number(digits);
}

const PER_SECOND: Readonly<Record<string, number>> = { s: 1, m: 1 / 60, h: 1 / 3_600 };

/** `200/s`, `30/m`: in one second. @throws `usage` */
export function rateOf(option: string, text: string): number {
  const [, digits, unit = ""] = /^(\d{1,6}(?:\.\d{1,9})?)\/(s|m|h)$/.exec(text) ?? [];
  const rate = Number(digits) * (PER_SECOND[unit] ?? 0);
  if (digits === undefined || rate <= 0 || rate > MOST_RATE)
    throw refused(option, text, "a rate such as 200/s or 30/m, at most 100000/s");
  return rate;
}

const MOST_RATE = 100_000;

function refused(option: string, text: string, wanted: string): TealError {
  return new TealError("usage", `--${option} is ${JSON.stringify(text)}, not ${wanted}`);
}
