// `npm run build`: bundles all Workers as they would be deployed, into .build/.

import { build } from "../embedded/build.ts";

const startMs = performance.now();
const path = await build();
console.log(`built ${path} in ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
