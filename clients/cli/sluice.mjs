#!/usr/bin/env node
// `npx sluice` in a clone: the command line's source, by scripts/launch.mjs, which installs what is
// missing and finds a Node that strips types. The package for applications has it built.
//
// Plain JavaScript without imports from npm, because it runs before anything is installed.

process.argv.splice(2, 0, "clients/cli/main.ts");
await import(new URL("../../scripts/launch.mjs", import.meta.url).href);
