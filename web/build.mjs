// Makes the pages in dist/ from src/: each one file, no request. The report's policy allows its very script and no other;
// the study's has none, and shares the report's style.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

async function bundle(entry, options) {
  const made = await build({
    entryPoints: [join(here, "src", entry)],
    bundle: true,
    minify: true,
    write: false,
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    ...options,
  });
  return made.outputFiles[0].text.trim();
}

async function style(entry) {
  return bundle(entry, { target: ["chrome100", "firefox100", "safari15"] });
}

async function page(shell, parts) {
  if (/<\/(script|style)/i.test(Object.values(parts).join(""))) {
    throw new Error("the bundle would end its own element");
  }
  const text = await readFile(join(here, "src", shell), "utf8");
  return text.replace(/\{\{([a-z-]+)\}\}/g, (mark, name) => parts[name]);
}

async function report() {
  const script = await bundle("main.ts", { target: "es2020", format: "iife" });
  const hash = createHash("sha256").update(script).digest("base64");
  return page("page.html", { script, "script-hash": hash, style: await style("page.css") });
}

async function study() {
  return page("study.html", { style: await style("study.css") });
}

const folder = process.argv[2] ?? join(here, "dist");
await mkdir(folder, { recursive: true });
await writeFile(join(folder, "report.html"), await report());
await writeFile(join(folder, "study.html"), await study());
