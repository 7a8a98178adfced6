import { Option } from "commander";
import { ROLES } from "../core/corpus-role.ts";
import type { AddCommand } from "./program.ts";

export function addAttachCommand(add: AddCommand): void {
  add(
    "attach <place> [collection...]",
    "Search Chroma collections as they are: of a data directory (through a copy of it) or of a server; or an index that was published on an object store.",
    [
      "winnow attach .chroma                       # list its collections",
      "winnow attach .chroma changelog --name log --role changelog",
      "winnow attach http://127.0.0.1:8000 --all",
      "winnow attach s3://team/handbook",
    ],
    () => import("./commands/attach.ts"),
  )
    .option("--all", "attach every collection")
    .option("--name <name>", "name of the corpus, default that of the collection or the address")
    .addOption(new Option("--role <role>", "what the collection is to you").choices(ROLES))
    .option("--document-key <key>", "metadata key that the records of one document share; @id: a record is a document")
    .option("--order-key <key>", "metadata key that puts the records of a document in order")
    .option("--title-key <key>", "metadata key with the title")
    .option("--uri-key <key>", "metadata key with the place where a person reopens a document")
    .option("--embedder <embedder>", "what made the vectors: minilm, none, openai-compatible:MODEL or ollama:MODEL")
    .option("--tenant <name>", "tenant on the server")
    .option("--database <name>", "database on the server")
    .option("--api-key-env <name>", "environment variable that holds the server's key")
    .option("--in-place", "open the data directory itself, not a copy; its server may migrate it")
    .option("--dry-run", "say what was found, and write nothing");
}
