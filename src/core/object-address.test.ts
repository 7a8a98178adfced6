import { expect, test } from "vitest";
import { isObjectAddress, parseObjectAddress } from "./object-address.ts";

test.each([
  ["s3://team", { bucket: "team", prefix: "", text: "s3://team" }],
  ["s3://team/", { bucket: "team", prefix: "", text: "s3://team" }],
  ["s3://my.team/a/b_c-1/", { bucket: "my.team", prefix: "a/b_c-1", text: "s3://my.team/a/b_c-1" }],
])("reads %s", (place, address) => {
  expect(parseObjectAddress(place)).toEqual(address);
});

test.each([
  "s3://",
  "s3:///a",
  "s3://ab",
  "s3://Team/a",
  "s3://team//a",
  "s3://team/../a",
  "s3://team/a/./b",
  "s3://team/a b",
  "s3://team/a?b",
  "s3://key:secret@team/a",
  "S3://team/a",
  `s3://team/${"a".repeat(501)}`,
])("refuses %s", (place) => {
  expect(isObjectAddress(place)).toBe(true);
  expect(() => parseObjectAddress(place)).toThrowError(expect.objectContaining({ code: "invalid_argument" }));
});

test.each(["docs", "./s3:/x", "https://host/s3://", "chroma:http://host/c"])("%s means no object store", (place) => {
  expect(isObjectAddress(place)).toBe(false);
});
