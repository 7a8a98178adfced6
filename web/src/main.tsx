import { render } from "preact";
import { runsFromPage } from "./model/load.ts";
import { App } from "./view/app.tsx";
import { type Problem, toProblem } from "./view/problem.tsx";

/** The element that `winnow show --html` puts records into. */
const DATA_ELEMENT_ID = "records";

const root = document.getElementById("app");
if (root === null) throw new Error("The page has no element for the viewer.");

function embedded(): { runs: ReturnType<typeof runsFromPage>; problem: Problem | undefined } {
  try {
    return { runs: runsFromPage(document.getElementById(DATA_ELEMENT_ID)?.textContent ?? ""), problem: undefined };
  } catch (error) {
    return { runs: [], problem: toProblem(error) };
  }
}

const { runs, problem } = embedded();
render(<App embedded={runs} problem={problem} />, root);
