// Whatever goes wrong between the stream and the buffer, and however often the stream crashes:
// what was answered is stored once, and each listener gets each event once and in order.

import fc from "fast-check";
import { expect, test } from "vitest";
import { PROPERTY_TIMEOUT_MS, propertyRuns } from "../../helpers/property.ts";
import { StreamStory } from "../../helpers/stream-story.ts";

test(
  "a stream stores and tells each event once, through lost appends, crashes and twins",
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const story = new StreamStory(seed);
        await story.run();
        const { stored, told, positions } = story;
        expect(stored).toEqual([...new Set(stored)].sort((a, b) => a - b));
        for (const seqs of told) expect(seqs).toEqual(stored);
        for (const { before, after } of positions) expect(after).toEqual(before);
        story.checkPosts();
      }),
      propertyRuns(150),
    );
  },
  PROPERTY_TIMEOUT_MS,
);
