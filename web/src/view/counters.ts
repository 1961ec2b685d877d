// Counters over the run as small pictures on one time axis; what was not measured has no picture.
import type { Metric } from "../data/report";
import { inUnit, seconds } from "../draw/format";
import { drag, nearest, plot, timeAt } from "../draw/plot";
import { html, line, svg } from "../draw/svg";
import type { Range } from "../model/range";
import { hide, show } from "./tip";
import { thinned, twin } from "./twin";

const LEFT = 64;

function top(metric: Metric): number {
  const known = metric.series.value.filter((value): value is number => value !== null);
  return metric.unit === "share" ? 1 : Math.max(...known, 0) * 1.1;
}

function one(metric: Metric, range: Range): HTMLElement {
  const { time_s, value } = metric.series;
  const root = svg("svg", { class: "plot" });
  const figure = html(
    "figure",
    { id: `counter-${metric.name}` },
    html("figcaption", {}, html("b", {}, metric.title), html("span", { class: "note" }, metric.description)),
    root,
    twin(metric.description, ["at", metric.title], () => thinned(time_s.length).map((i) => [seconds(time_s[i]!), inUnit(value[i], metric.unit)])),
  );
  const draw = (): void => {
    const frame = { width: figure.clientWidth || 380, height: 96, left: LEFT, bottom: 18, top: 6 };
    const picture = plot(root, range, top(metric), metric.unit, frame, metric.description);
    const points = time_s.map((time, i): [number, number | null] => [picture.x(time), value[i] === null ? null : picture.y(value[i]!)]);
    const seen = points.filter(([x]) => x >= LEFT - 1 && x <= frame.width - 3);
    root.append(svg("path", { class: "counter", d: line(seen) }));
  };
  root.addEventListener("pointermove", (event) => {
    const i = nearest(time_s, timeAt(root, range, LEFT, (event as PointerEvent).clientX));
    show(event as PointerEvent, inUnit(value[i], metric.unit), [["at", seconds(time_s[i]!)]]);
  });
  root.addEventListener("pointerleave", hide);
  drag(root, range, LEFT);
  range.listen(draw);
  requestAnimationFrame(draw);
  return figure;
}

export function counters(place: HTMLElement, metrics: Metric[], range: Range): void {
  const seen = metrics.filter((metric) => metric.series.value.some((value) => value !== null));
  place.replaceChildren(...seen.map((metric) => one(metric, range)));
}
