// Numbers as the static part of the page writes them.
const digits = (value: number): number => (Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2);
const scaled = (value: number, unit: string): string => `${value.toFixed(digits(value))} ${unit}`;

export function seconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) {
    return "0 s";
  }
  if (size >= 59.995) {
    const whole = Math.round(value);
    return whole >= 3600 ? `${Math.floor(whole / 3600)} h ${Math.floor(whole / 60) % 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return size >= 0.9995 ? scaled(value, "s") : size >= 0.9995e-3 ? scaled(value * 1e3, "ms") : scaled(value * 1e6, "µs");
}

export function bytes(value: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let left = value;
  while (Math.abs(left) >= 1023.5 && unit + 1 < names.length) {
    left /= 1024;
    unit++;
  }
  return unit ? scaled(left, names[unit]!) : `${left.toFixed(0)} B`;
}

export function inUnit(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) {
    return "not measured";
  }
  switch (unit) {
    case "share":
      return `${(value * 100).toFixed(value < 0.0995 ? 1 : 0)} %`;
    case "s":
      return seconds(value);
    case "bytes":
      return bytes(value);
    case "bytes/s":
      return `${bytes(value)}/s`;
    case "Hz":
      return value >= 1e9 ? `${(value / 1e9).toFixed(2)} GHz` : `${(value / 1e6).toFixed(0)} MHz`;
    default:
      return `${value >= 1000 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(3)} ${unit}`;
  }
}

// A tick has little room: the picture's caption names what is counted.
export function onAxis(value: number, unit: string): string {
  if (value === 0) {
    return "0";
  }
  if (unit === "share" || unit === "s" || unit === "Hz" || unit.startsWith("bytes")) {
    return inUnit(value, unit).replace(/\.0+(?= )/, "");
  }
  const short = Math.abs(value) >= 1e6 ? `${value / 1e6}M` : Math.abs(value) >= 1e3 ? `${value / 1e3}k` : String(value);
  return unit.endsWith("/s") ? `${short}/s` : short;
}

// Sizes are round in powers of two, everything else in powers of ten.
export function ticksOf(unit: string, high: number, most: number): number[] {
  const scale = unit.startsWith("bytes") && high > 0 ? 1024 ** Math.floor(Math.log(high) / Math.log(1024)) : 1;
  return ticks(0, high / scale, most).map((value) => value * scale);
}

// At most `most` round numbers from 0 or `low` up to `high`.
export function ticks(low: number, high: number, most: number): number[] {
  const rough = (high - low) / Math.max(1, most);
  if (!(rough > 0) || !isFinite(rough)) {
    return [low];
  }
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)!;
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high * (1 + 1e-9); at++) {
    found.push(at * step + 0);
  }
  return found;
}

// Round times for an axis, and how to write them: "12.5 s" within a minute, else "1:30" and "2:05:00".
export function timeTicks(begin: number, end: number, most: number): { at: number; text: string }[] {
  const rough = (end - begin) / Math.max(1, most);
  const round = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
  const step = round.find((size) => size >= rough);
  const times =
    rough < 1 || !step
      ? ticks(begin, end, most)
      : Array.from({ length: Math.floor(end / step) - Math.ceil(begin / step) + 1 }, (_, i) => (Math.ceil(begin / step) + i) * step);
  return times.map((at) => ({ at, text: end < 60 ? `${Number(at.toPrecision(6))} s` : clock(at) }));
}

function clock(time: number): string {
  if (time < 0) {
    return `-${clock(-time)}`;
  }
  const tenths = Math.round(time * 10);
  const whole = Math.floor(tenths / 10);
  const two = (value: number): string => String(value).padStart(2, "0");
  const head = whole >= 3600 ? `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}` : String(Math.floor(whole / 60));
  return `${head}:${two(whole % 60)}${tenths % 10 ? `.${tenths % 10}` : ""}`;
}
