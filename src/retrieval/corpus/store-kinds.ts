/** What a corpus folder can keep its chunks in. */
export const STORE_KINDS = ["lance", "sqlite"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];
