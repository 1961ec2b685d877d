// What the page is fed: the report as `--json` writes it, and what only pictures need.
export interface Metric {
  name: string;
  title: string;
  group: string;
  unit: string;
  description: string;
  series: { time_s: number[]; value: (number | null)[] };
}

export interface Report {
  schema: string;
  metrics: Metric[];
}

export interface Steps {
  at_s: number[];
  wall_s: number[];
  exposed_s: (number | null)[];
  transfer_s: (number | null)[];
  other_s: (number | null)[];
}

export interface Lane {
  name: string;
  parts: number[]; // begin, end, stage; begin, end, stage; ...
}

export interface PageData {
  report: Report;
  stages: string[];
  steps: Steps;
  lanes: Lane[];
  lanes_left_out: number;
  markdown: string;
}

export function read(text: string): PageData {
  const data = JSON.parse(text) as PageData;
  if (data.report.schema !== "stallmeter/report/1") {
    throw new Error(`this page cannot read ${data.report.schema}`);
  }
  return data;
}
