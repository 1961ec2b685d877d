// The frame of a picture over time: axes, a crosshair that follows the pointer in all of them, and dragging to zoom.
import { lowerBound, type Range } from "../model/range";
import { onAxis, ticksOf, timeTicks } from "./format";
import { svg } from "./svg";

export interface Frame {
  width: number;
  height: number;
  left: number;
  bottom: number;
  top: number;
}

export interface Plot {
  x(time: number): number;
  y(value: number): number;
  frame: Frame;
  root: SVGElement;
}

export function plot(root: SVGElement, range: Range, highest: number, unit: string, frame: Frame, label: string): Plot {
  const inner = Math.max(1, frame.width - frame.left - 4);
  const floor = frame.height - frame.bottom;
  const x = (time: number): number => frame.left + ((time - range.begin) / (range.end - range.begin)) * inner;
  const y = (value: number): number => floor - (value / (highest || 1)) * (floor - frame.top);
  root.replaceChildren();
  root.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
  root.setAttribute("width", String(frame.width));
  root.setAttribute("height", String(frame.height));
  root.setAttribute("role", "img");
  root.setAttribute("aria-label", label);
  for (const value of ticksOf(unit, highest, frame.height > 120 ? 4 : 2)) {
    const at = y(value);
    root.append(
      svg("line", { class: "grid", x1: frame.left, x2: frame.width - 4, y1: at, y2: at }),
      svg("text", { class: "tick", x: frame.left - 6, y: at + 3.5, "text-anchor": "end" }, onAxis(value, unit)),
    );
  }
  for (const { at, text } of timeTicks(range.begin, range.end, frame.width / 90)) {
    const anchor = x(at) > frame.width - 24 ? "end" : "middle";
    root.append(svg("text", { class: "tick", x: x(at), y: frame.height - 4, "text-anchor": anchor }, text));
  }
  return { x, y, frame, root };
}

// Index of the point nearest to a time.
export function nearest(times: number[], time: number): number {
  const after = Math.min(lowerBound(times, time), times.length - 1);
  return after > 0 && time - times[after - 1]! < times[after]! - time ? after - 1 : after;
}

export function timeAt(element: Element, range: Range, left: number, clientX: number): number {
  const box = element.getBoundingClientRect();
  const share = (clientX - box.left - left) / Math.max(1, box.width - left - 4);
  return range.begin + Math.min(1, Math.max(0, share)) * (range.end - range.begin);
}

// Dragging along time shows that part; a double click shows the whole run again.
export function drag(element: HTMLElement | SVGElement, range: Range, left: number): void {
  let from: number | null = null;
  const target = element as HTMLElement;
  target.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) {
      from = timeAt(element, range, left, event.clientX);
    }
  });
  target.addEventListener("pointerup", (event) => {
    const to = timeAt(element, range, left, event.clientX);
    if (from !== null && Math.abs(to - from) > (range.end - range.begin) / 100) {
      range.set(Math.min(from, to), Math.max(from, to));
    }
    from = null;
  });
  target.addEventListener("dblclick", () => range.reset());
}
