// Everything that both back-ends must do, on the embedded one. The same on the whole stack:
// test/e2e/recording.test.ts.

import { afterAll } from "vitest";
import { bothBackEnds } from "./both-back-ends.ts";
import { sameAnswers } from "./same-answers.ts";
import { sqliteStage } from "./stage.ts";

const stage = sqliteStage();
afterAll(() => stage.remove());

bothBackEnds(stage);
sameAnswers([stage], 100);
