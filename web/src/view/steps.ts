// Time of a step over the run, split into what it was spent on.
import type { Steps } from "../data/report";
import { seconds } from "../draw/format";
import { drag, nearest, plot, timeAt } from "../draw/plot";
import { area, html, svg } from "../draw/svg";
import { lowerBound, type Range } from "../model/range";
import { layers } from "../model/stack";
import { hide, show } from "./tip";
import { thinned, twin } from "./twin";

const LEFT = 64;

// Where each point begins, and where the last one ends.
export function edgesOf(data: Steps, from: number, to: number): number[] {
  return [...data.at_s.slice(from, to), data.at_s[to] ?? data.at_s[to - 1]! + data.wall_s[to - 1]!];
}

export function steps(figure: HTMLElement, data: Steps, range: Range): void {
  if (data.at_s.length < 2) {
    figure.remove();
    return;
  }
  const stack = layers(data);
  const root = svg("svg", { class: "plot" });
  const legend = html("ul", { class: "legend" });
  for (const layer of stack) {
    legend.append(html("li", {}, html("i", { class: `p-${layer.kind}` }), layer.name));
  }
  figure.replaceChildren(
    html("figcaption", {}, html("b", {}, "Time of a step"), legend),
    root,
    twin("Time of a step over the run", ["at", "step", ...stack.map((layer) => layer.name)], () =>
      thinned(data.at_s.length).map((i) => [seconds(data.at_s[i]!), seconds(data.wall_s[i]!), ...stack.map((layer) => seconds(layer.values[i]!))]),
    ),
  );

  const draw = (): void => {
    const from = Math.max(0, lowerBound(data.at_s, range.begin) - 1);
    const to = Math.min(data.at_s.length, lowerBound(data.at_s, range.end) + 2);
    const highest = Math.max(...data.wall_s.slice(from, to)) * 1.04;
    const frame = { width: figure.clientWidth || 800, height: 190, left: LEFT, bottom: 20, top: 8 };
    const picture = plot(root, range, highest, "s", frame, "Time of a step over the run, split into what it was spent on");
    const edges = edgesOf(data, from, to).map((time) => Math.min(Math.max(picture.x(time), LEFT), frame.width - 4));
    let floor: number[] = new Array(to - from).fill(0);
    for (const layer of stack) {
      const top = floor.map((value, i) => value + layer.values[from + i]!);
      root.append(svg("path", { class: `p-${layer.kind}`, d: area(edges, floor.map(picture.y), top.map(picture.y)) }));
      floor = top;
    }
  };

  root.addEventListener("pointermove", (event) => {
    const i = nearest(data.at_s, timeAt(root, range, LEFT, (event as PointerEvent).clientX));
    show(event as PointerEvent, `${seconds(data.wall_s[i]!)} a step at ${seconds(data.at_s[i]!)}`, stack.map((layer) => [layer.name, seconds(layer.values[i]!)]));
  });
  root.addEventListener("pointerleave", hide);
  drag(root, range, LEFT);
  range.listen(draw);
  draw();
}
