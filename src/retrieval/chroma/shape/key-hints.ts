/**
 * Names by which the makers of collections call things, best first. They only propose: what the values of a key show
 * decides whether it is taken, and a flag overrules it.
 */
export const KEY_HINTS = {
  /** Keys that say which file or page a record is a part of. */
  path: [
    "source_path",
    "file_path",
    "filepath",
    "path",
    "source_relative_path",
    "relative_path",
    "file",
    "filename",
    "file_name",
    "url",
    "uri",
    "source_url",
    "permalink",
    "link",
    "source",
  ],
  /** Keys that name a document without being a place. */
  document: ["document_id", "doc_id", "docid", "document", "doc", "source_id", "parent_id", "page_id", "article_id"],
  /** Keys of a conversation. */
  session: ["session_id", "sessionId", "session", "conversation_id", "thread_id", "chat_id"],
  /** Keys that only the turns of a conversation have. */
  turn: ["turn_role", "turn_index", "role", "speaker", "author_role", "message_index"],
  /** Keys that only calls of tools have. */
  tool: ["tool_name", "tool", "tool_use_id", "tool_call_id", "is_error"],
  /** Keys that only changelogs have, and names that they go by. */
  changelog: ["changelog_dir", "changelog", "release", "version_tag"],
  order: [
    "chunk_index",
    "chunk_number",
    "chunk_id",
    "chunk",
    "turn_index",
    "message_index",
    "turn",
    "part",
    "position",
    "sequence",
    "seq",
    "index",
    "start_index",
    "start",
    "offset",
    "start_line",
    "line",
    "page",
    "page_number",
    "timestamp",
    "ts",
    "created_at",
    "createdAt",
    "time",
    "date",
  ],
  title: ["fm_title", "title", "document_title", "page_title", "headline", "subject", "name", "tool_name", "filename"],
  heading: ["chunk_heading", "heading", "section_title", "section", "header", "turn_role", "role"],
  place: [
    "source_url",
    "url",
    "uri",
    "permalink",
    "link",
    "source_path",
    "file_path",
    "filepath",
    "path",
    "file",
    "source",
  ],
} as const;

/** Names of embedding functions that stand for Chroma's default model. */
export const MINILM_FUNCTIONS: readonly string[] = ["default", "onnx_mini_lm_l6_v2", "default-embed"];
export const MINILM_DIMENSION = 384;
