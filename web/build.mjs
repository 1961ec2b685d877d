// Makes dist/report.html from src/: one file, no request, and a policy that allows this very script and no other.
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

export async function page() {
  const script = await bundle("main.ts", { target: "es2020", format: "iife" });
  const style = await bundle("page.css", { target: ["chrome100", "firefox100", "safari15"] });
  if (/<\/(script|style)/i.test(script + style)) {
    throw new Error("the bundle would end its own element");
  }
  const hash = createHash("sha256").update(script).digest("base64");
  const shell = await readFile(join(here, "src", "page.html"), "utf8");
  return shell
    .replace("{{script-hash}}", () => hash)
    .replace("{{style}}", () => style)
    .replace("{{script}}", () => script);
}

const target = process.argv[2] ?? join(here, "dist", "report.html");
await mkdir(dirname(target), { recursive: true });
await writeFile(target, await page());
