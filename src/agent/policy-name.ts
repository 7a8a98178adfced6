/** Splits a policy's name at its first colon: names of models hold colons themselves (`ollama:qwen3:8b`). */
export function policyParts(name: string): { readonly kind: string; readonly rest: string } {
  const colon = name.indexOf(":");
  return colon < 0 ? { kind: name, rest: "" } : { kind: name.slice(0, colon), rest: name.slice(colon + 1) };
}
