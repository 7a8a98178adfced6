import { render } from "preact";
import { Api } from "./search/api.ts";
import { SearchApp } from "./search/search-app.tsx";

const root = document.getElementById("app");
if (root === null) throw new Error("The page has no element for the search.");
render(<SearchApp api={new Api((path, init) => fetch(path, init))} />, root);
