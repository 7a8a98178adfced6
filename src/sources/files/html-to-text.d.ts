// The library has no types of its own; this declares the part that is used here.
declare module "html-to-text" {
  export interface BlockBuilder {
    addInline(text: string, options?: { readonly noWordTransform?: boolean }): void;
    addLiteral(text: string): void;
    openBlock(options?: { readonly leadingLineBreaks?: number; readonly isPre?: boolean }): void;
    closeBlock(options?: {
      readonly trailingLineBreaks?: number;
      readonly blockTransform?: (text: string) => string;
    }): void;
  }
  export interface HtmlElement {
    readonly name: string;
    readonly attribs?: Readonly<Record<string, string>>;
    readonly children?: readonly unknown[];
  }
  export type Formatter = (
    element: HtmlElement,
    walk: (nodes: readonly unknown[] | undefined, builder: BlockBuilder) => void,
    builder: BlockBuilder,
    options: unknown,
  ) => void;
  export interface SelectorDefinition {
    readonly selector: string;
    readonly format: string;
    readonly options?: Readonly<Record<string, unknown>>;
  }
  export interface Options {
    readonly baseElements?: { readonly selectors: readonly string[]; readonly returnDomByDefault?: boolean };
    readonly formatters?: Readonly<Record<string, Formatter>>;
    readonly limits?: { readonly maxInputLength?: number; readonly maxDepth?: number; readonly ellipsis?: string };
    readonly selectors?: readonly SelectorDefinition[];
    readonly wordwrap?: false | number;
    readonly preserveNewlines?: boolean;
  }
  export function compile(options?: Options): (html: string) => string;
}
