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
    found.push(at * step);
  }
  return found;
}
