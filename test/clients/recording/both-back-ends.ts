// All that both back-ends must do in the same way.

import { batches } from "./batches.ts";
import { calls } from "./calls.ts";
import { runs } from "./runs.ts";
import { askingSamples } from "./samples-asking.ts";
import { patternSamples } from "./samples-patterns.ts";
import { recordingSamples } from "./samples-recording.ts";
import type { Stage } from "./stage.ts";

export function bothBackEnds(stage: Stage): void {
  recordingSamples(stage);
  patternSamples(stage);
  askingSamples(stage);
  runs(stage);
  calls(stage);
  batches(stage);
}
