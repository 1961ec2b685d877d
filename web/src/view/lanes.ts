// Who did what when: one row for the main process and one for each worker, coloured by stage.
import type { Lane, PageData } from "../data/report";
import { seconds, timeTicks } from "../draw/format";
import { drag, timeAt } from "../draw/plot";
import { html } from "../draw/svg";
import { lowerBound, type Range } from "../model/range";
import { hide, show } from "./tip";
import { twin } from "./twin";

const LEFT = 112;
const ROW = 20;
const GAP = 4;
const FOOT = 20;

// The part of a lane that covers a time, as its index, or -1.
export function partAt(lane: Lane, time: number): number {
  const i = lowerBound(lane.parts, time, 3) - 1;
  const exact = lane.parts[(i + 1) * 3] === time ? i + 1 : i;
  return exact >= 0 && lane.parts[exact * 3 + 1]! >= time ? exact : -1;
}

export function busy(lane: Lane, stages: string[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (let i = 0; i < lane.parts.length; i += 3) {
    const stage = stages[lane.parts[i + 2]!] ?? "other";
    sums.set(stage, (sums.get(stage) ?? 0) + lane.parts[i + 1]! - lane.parts[i]!);
  }
  return sums;
}

function colours(stages: string[]): string[] {
  const style = getComputedStyle(document.documentElement);
  return stages.map((stage) => style.getPropertyValue(`--s-${stage}`).trim() || "#888");
}

function cut(context: CanvasRenderingContext2D, text: string, room: number): string {
  let shown = text;
  while (shown && context.measureText(shown).width > room) {
    shown = shown.slice(0, -2);
  }
  return shown === text ? text : `${shown}…`;
}

function paint(canvas: HTMLCanvasElement, data: PageData, range: Range, width: number): void {
  const height = data.lanes.length * (ROW + GAP) + FOOT;
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  if (!context) {
    return;
  }
  const style = getComputedStyle(document.documentElement);
  const palette = colours(data.stages);
  const inner = width - LEFT - 4;
  const x = (time: number): number => LEFT + ((time - range.begin) / (range.end - range.begin)) * inner;
  context.scale(ratio, ratio);
  context.font = "12px system-ui, sans-serif";
  context.textBaseline = "middle";
  data.lanes.forEach((lane, row) => {
    const y = row * (ROW + GAP);
    context.fillStyle = style.getPropertyValue("--track");
    context.fillRect(LEFT, y, inner, ROW);
    context.fillStyle = style.getPropertyValue("--ink");
    context.fillText(cut(context, lane.name, LEFT - 12), 0, y + ROW / 2);
    for (let i = Math.max(0, lowerBound(lane.parts, range.begin, 3) - 1) * 3; i < lane.parts.length && lane.parts[i]! <= range.end; i += 3) {
      const begin = Math.max(LEFT, x(lane.parts[i]!));
      const end = Math.min(LEFT + inner, x(lane.parts[i + 1]!));
      if (end > LEFT) {
        context.fillStyle = palette[lane.parts[i + 2]!] ?? "#888";
        context.fillRect(begin, y, Math.max(end - begin, 0.5), ROW);
      }
    }
  });
  context.fillStyle = style.getPropertyValue("--soft");
  for (const { at, text } of timeTicks(range.begin, range.end, width / 90)) {
    context.textAlign = x(at) > width - 24 ? "right" : "center";
    context.fillText(text, x(at), height - FOOT / 2 + 3);
  }
}

export function lanes(figure: HTMLElement, data: PageData, range: Range): void {
  if (!data.lanes.length) {
    figure.remove();
    return;
  }
  const used = new Set(data.lanes.flatMap((lane) => lane.parts.filter((_, i) => i % 3 === 2)));
  const legend = html("ul", { class: "legend" });
  for (const stage of [...used].sort((a, b) => a - b)) {
    legend.append(html("li", {}, html("i", { style: `background:var(--s-${data.stages[stage]})` }), data.stages[stage] ?? "other"));
  }
  const canvas = html("canvas", { role: "img", "aria-label": "What the main process and each worker did over the run" }) as HTMLCanvasElement;
  figure.replaceChildren(
    html("figcaption", {}, html("b", {}, "Who did what"), legend),
    canvas,
    twin("Time of each row by stage", ["row", ...data.stages], () =>
      data.lanes.map((lane) => {
        const sums = busy(lane, data.stages);
        return [lane.name, ...data.stages.map((stage) => (sums.has(stage) ? seconds(sums.get(stage)!) : ""))];
      }),
    ),
  );
  if (data.lanes_left_out) {
    figure.append(html("p", { class: "note" }, `${data.lanes_left_out} more rows are not drawn.`));
  }
  const draw = (): void => paint(canvas, data, range, figure.clientWidth || 800);
  canvas.addEventListener("pointermove", (event) => {
    const row = Math.floor(event.offsetY / (ROW + GAP));
    const lane = data.lanes[row];
    const part = lane ? partAt(lane, timeAt(canvas, range, LEFT, event.clientX)) : -1;
    if (!lane || part < 0) {
      hide();
      return;
    }
    const [begin, end, stage] = lane.parts.slice(part * 3, part * 3 + 3) as [number, number, number];
    show(event, data.stages[stage] ?? "other", [["who", lane.name], ["from", seconds(begin)], ["to", seconds(end)]]);
  });
  canvas.addEventListener("pointerleave", hide);
  drag(canvas, range, LEFT);
  range.listen(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.addEventListener("themechange", draw);
  draw();
}
