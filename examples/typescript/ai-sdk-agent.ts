// Winnow as a subagent of any agent of the AI SDK, in three lines. The model here is a stand-in that asks one question and
// then repeats what it got; put your own in its place.
// node ai-sdk-agent.js FOLDER
import { generateText, stepCountIs } from "ai";
import { openCorpus } from "winnow-search";
import { searchTool } from "winnow-search/ai-sdk";
import { standInModel } from "./stand-in-model.js";

const corpus = await openCorpus([], { folder: process.argv[2] ?? "." });
const { text } = await generateText({
  model: standInModel("Which team owns retries?"),
  tools: { search: searchTool(corpus, { about: "our engineering notes" }) },
  stopWhen: stepCountIs(4),
  prompt: "Which team owns retries? Cite the document.",
});
console.log(text);
await corpus.close();
