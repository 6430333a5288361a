#!/usr/bin/env node
// Kept to syntax that every Node ever released can parse: its first task is to say that this one is too old.
var major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write("teal needs Node.js 24 or newer; this is " + process.version + " (" + process.execPath + ").\n");
  process.exitCode = 2;
} else {
  import("./start.js");
}
