import type { PageData } from "../data/report";

// First and last time that any picture has something to show; null when none has.
export function span(data: PageData): [number, number] | null {
  let first = Infinity;
  let last = -Infinity;
  const take = (time: number | undefined): void => {
    if (time !== undefined && isFinite(time)) {
      first = Math.min(first, time);
      last = Math.max(last, time);
    }
  };
  const ends = (times: number[]): void => {
    take(times[0]);
    take(times[times.length - 1]);
  };
  ends(data.steps.at_s);
  for (const metric of data.report.metrics) {
    ends(metric.series.time_s);
  }
  for (const lane of data.lanes) {
    take(lane.parts[0]);
    take(lane.parts[lane.parts.length - 2]);
  }
  return last > first ? [first, last] : null;
}
