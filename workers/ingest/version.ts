// The version of this release, as package.json says it.

import about from "../../package.json" with { type: "json" };

export const VERSION: string = about.version;
