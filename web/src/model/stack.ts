// The parts of each step, stacked: what the accelerator or the loop waited for, copied, did otherwise, and computed.
import type { Steps } from "../data/report";

export interface Layer {
  kind: "data" | "copy" | "host" | "compute";
  name: string;
  values: number[];
}

const amount = (value: number | null | undefined): number => (value !== null && value !== undefined && value > 0 ? value : 0);

export function layers(steps: Steps): Layer[] {
  const data = steps.exposed_s.map(amount);
  const copy = steps.transfer_s.map(amount);
  const host = steps.other_s.map(amount);
  const compute = steps.wall_s.map((wall, i) => Math.max(0, wall - data[i]! - copy[i]! - host[i]!));
  const all: Layer[] = [
    { kind: "data", name: "data", values: data },
    { kind: "copy", name: "copy", values: copy },
    { kind: "host", name: "other", values: host },
    { kind: "compute", name: "compute", values: compute },
  ];
  return all.filter((layer) => layer.values.some((value) => value > 0));
}
