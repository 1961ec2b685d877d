// The page's parts without a browser, and that the page that is checked in is the one its sources make.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "web");
const scratch = mkdtempSync(join(tmpdir(), "stallmeter-web-"));
after(() => rmSync(scratch, { recursive: true }));
const skip = existsSync(join(web, "node_modules", "esbuild")) ? false : "web/node_modules is not there: npm ci in web/";

async function part(name) {
  const { build } = await import(join(web, "node_modules", "esbuild", "lib", "main.js"));
  const outfile = join(scratch, name.replaceAll("/", "-") + ".mjs");
  await build({ entryPoints: [join(web, "src", name + ".ts")], bundle: true, format: "esm", outfile, logLevel: "warning" });
  return import(outfile);
}

test("the built pages equal their sources", { skip }, () => {
  execFileSync(process.execPath, [join(web, "build.mjs"), scratch]);
  for (const name of ["report.html", "study.html"]) {
    assert.equal(readFileSync(join(web, "dist", name), "utf8"), readFileSync(join(scratch, name), "utf8"), `run node build.mjs in web/ and commit dist/${name}`);
  }
});

test("the page of a study has no script, and its policy allows none", () => {
  const page = readFileSync(join(web, "dist", "study.html"), "utf8");
  assert.ok(!/<script/.test(page) && page.includes("default-src 'none'") && !page.includes("script-src"));
});

test("types hold", { skip: skip || (existsSync(join(web, "node_modules", "typescript")) ? false : "no typescript") }, () => {
  execFileSync(process.execPath, [join(web, "node_modules", "typescript", "bin", "tsc"), "--noEmit", "-p", web], { stdio: "pipe" });
});

test("the policy names the script that is in the page", () => {
  const page = readFileSync(join(web, "dist", "report.html"), "utf8");
  const script = page.match(/<script>([\s\S]*?)<\/script>/)[1];
  assert.ok(page.includes(`script-src 'sha256-${createHash("sha256").update(script).digest("base64")}'`));
  assert.ok(page.includes("default-src 'none'"));
});

test("nothing in the pages asks for an address", () => {
  for (const name of ["report.html", "study.html"]) {
    const page = readFileSync(join(web, "dist", name), "utf8");
    const addresses = (page.match(/https?:\/\/[^"'\s)]+/g) ?? []).filter((address) => address !== "http://www.w3.org/2000/svg");
    assert.deepEqual(addresses, []);
    assert.ok(!/@import|url\((?!data:)/.test(page));
  }
});

test("a range zooms, pans, and finds back to the whole run", { skip }, async () => {
  const { Range } = await part("model/range");
  const range = new Range(-9.11, 32.63);
  let told = 0;
  range.listen(() => told++);
  range.zoom(0.5);
  assert.ok(!range.isWhole);
  range.pan(10);
  assert.ok(Math.abs(range.end - 32.63) < 1e-9);
  range.zoom(0.5, range.begin);
  range.reset();
  assert.ok(range.isWhole);
  assert.equal(told, 4);
  range.set(5, 5);
  assert.ok(range.end > range.begin);
});

test("lowerBound finds the first not before", { skip }, async () => {
  const { lowerBound } = await part("model/range");
  assert.equal(lowerBound([], 1), 0);
  assert.equal(lowerBound([1, 2, 2, 3], 2), 1);
  assert.equal(lowerBound([1, 2, 3], 9), 3);
  assert.equal(lowerBound([0, 1, 7, 2, 3, 7, 4, 5, 7], 2, 3), 1);
});

test("what lies under the pointer", { skip }, async () => {
  const { partAt, busy } = await part("view/lanes");
  const lane = { name: "worker", parts: [0, 1, 2, 1, 2, 3, 5, 6, 2] };
  assert.equal(partAt(lane, 0), 0);
  assert.equal(partAt(lane, 0.5), 0);
  assert.equal(partAt(lane, 1.5), 1);
  assert.equal(partAt(lane, 3), -1);
  assert.equal(partAt(lane, 5.5), 2);
  assert.equal(partAt(lane, 9), -1);
  assert.equal(busy(lane, ["a", "b", "c", "d"]).get("c"), 2);
});

test("a step's layers add up to its time, and missing ones are nothing", { skip }, async () => {
  const { layers } = await part("model/stack");
  const stack = layers({ at_s: [0, 1], wall_s: [1, 2], exposed_s: [0.25, null], transfer_s: [0, 0], other_s: [null, 0.5] });
  assert.deepEqual(stack.map((layer) => layer.kind), ["data", "host", "compute"]);
  for (const i of [0, 1]) {
    assert.equal(stack.reduce((sum, layer) => sum + layer.values[i], 0), i + 1);
  }
});

test("numbers read as in the rest of the report", { skip }, async () => {
  const { seconds, bytes, inUnit, ticks, timeTicks, ticksOf } = await part("draw/format");
  assert.equal(seconds(0.31), "310 ms");
  assert.equal(seconds(0.00604), "6.04 ms");
  assert.equal(seconds(252.4), "4 min 12 s");
  assert.equal(bytes(1536), "1.50 KiB");
  assert.equal(inUnit(null, "share"), "not measured");
  assert.equal(inUnit(0.98, "share"), "98 %");
  assert.deepEqual(ticks(0, 1, 4), [0, 0.5, 1]);
  assert.deepEqual(ticks(5, 5, 4), [5]);
  assert.deepEqual(ticksOf("bytes", 3 * 1024 ** 3, 2), [0, 2 * 1024 ** 3]);
  assert.deepEqual(timeTicks(0, 240, 4).map((tick) => tick.text), ["0:00", "1:00", "2:00", "3:00", "4:00"]);
  assert.deepEqual(timeTicks(-65, 65, 2).map((tick) => tick.text), ["0:00"]);
});

test("a step is as wide as it lasted", { skip }, async () => {
  const { edgesOf } = await part("view/steps");
  const { area } = await part("draw/svg");
  const data = { at_s: [0, 1, 4], wall_s: [1, 3, 2] };
  assert.deepEqual(edgesOf(data, 0, 2), [0, 1, 4]);
  assert.deepEqual(edgesOf(data, 1, 3), [1, 4, 6]);
  assert.equal(area([0, 1, 4], [9, 9], [5, 2]), "M0.0 5.0L1.0 5.0L1.0 2.0L4.0 2.0L4.0 9.0L1.0 9.0L1.0 9.0L0.0 9.0Z");
});

test("the span covers every picture", { skip }, async () => {
  const { span } = await part("model/span");
  const none = { report: { metrics: [] }, steps: { at_s: [] }, lanes: [] };
  assert.equal(span(none), null);
  const some = { report: { metrics: [{ series: { time_s: [-3, 4] } }] }, steps: { at_s: [0, 9] }, lanes: [{ parts: [1, 12, 0] }] };
  assert.deepEqual(span(some), [-3, 12]);
});

test("another schema is refused", { skip }, async () => {
  const { read } = await part("data/report");
  assert.throws(() => read(JSON.stringify({ report: { schema: "stallmeter/report/2" } })), /cannot read/);
});
