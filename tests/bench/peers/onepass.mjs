#!/usr/bin/env node
// onepass.mjs [--sha256] DIR: what onepass.py does, as an operator at home in node would write it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TARGET = "1.2.0";
const SNAPSHOTS = ["add input_snapshots {} if absent", "add inputs_hash null if absent"];
const CHAIN = ["add chain_metadata {is_chainable_stage: false, prior_stages: []} if absent"];
const CHANGES = { "1.0.0": [[...SNAPSHOTS, ...CHAIN]], "1.1.0": [CHAIN] };

function* manifests(folder) {
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.isDirectory()) yield* manifests(join(folder, entry.name));
    else if (entry.name === "manifest.json") yield join(folder, entry.name);
  }
}

function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`);
  return `{${members.join(",")}}`;
}

function checksum(doc) {
  const { migration_history, ...body } = doc;
  return "sha256:" + createHash("sha256").update(canonical(body)).digest("hex");
}

// Migrates doc in place; false where there is nothing to do.
function migrate(doc, withSha256) {
  const version = doc.schema_version ?? "1.0.0";
  if (!(version in CHANGES)) return false;
  const entry = {
    from_version: version,
    to_version: TARGET,
    applied_at: new Date().toISOString(),
    changes: CHANGES[version],
  };
  if (withSha256) entry.checksum_before = checksum(doc);
  if (version === "1.0.0") {
    if (!("input_snapshots" in doc)) doc.input_snapshots = {};
    if (!("inputs_hash" in doc)) doc.inputs_hash = null;
  }
  if (!("chain_metadata" in doc)) doc.chain_metadata = { is_chainable_stage: false, prior_stages: [] };
  doc.schema_version = TARGET;
  if (withSha256) entry.checksum_after = checksum(doc);
  (doc.migration_history ??= []).push(entry);
  return true;
}

const args = process.argv.slice(2);
const withSha256 = args.includes("--sha256");
const dir = args.find((arg) => !arg.startsWith("--"));
if (!dir) {
  console.error("usage: onepass.mjs [--sha256] DIR");
  process.exit(2);
}
for (const path of manifests(dir)) {
  const raw = readFileSync(path);
  const doc = JSON.parse(raw.toString());
  if (!migrate(doc, withSha256)) continue;
  writeFileSync(`${path}.backup`, raw);
  writeFileSync(`${path}.tmp`, JSON.stringify(doc, null, 2) + "\n");
  renameSync(`${path}.tmp`, path);
}
