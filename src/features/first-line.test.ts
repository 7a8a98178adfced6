import { expect, it } from "vitest";
import { firstLine, firstSentence } from "./first-line.ts";

it.each([
  ["---\ntitle: Queue\n---\n\n# Queue\n\nWe move to the new queue.\n", "Queue", "We move to the new queue."],
  ["[Queue]\n\n## Why\n\n> Because *it* waits.", "Queue", "Because *it* waits."],
  ["# Queue\n\n## Why", "Queue", "Why"],
  ["```sh\nnpm run x\n```\nThen look.", "x", "Then look."],
  ['<h1 align="center">Fastify</h1>\n\n## Decorators\n\nThey add.', "Fastify", "They add."],
  ["---\n***\n", "x", ""],
  ["", "x", ""],
])("shows the first line of prose: %j", (text, title, line) => {
  expect(firstLine(text, title)).toBe(line);
});

it.each([
  [
    "# Queue\n\nIt waits.\n\nThe new queue is **where\nthe jobs** wait. More.",
    "Queue",
    "The new queue is where the jobs wait.",
  ],
  [
    "# The queue of jobs\n\nThe queue of jobs\n\n- [Guide](a.md): how to move the jobs",
    "The queue of jobs",
    "Guide: how to move the jobs",
  ],
  ["# Queue\n\n## Why", "Queue", "Why"],
  ["", "x", ""],
])("tells what a document is about by its first sentence: %j", (text, title, sentence) => {
  expect(firstSentence(text, title)).toBe(sentence);
});
