import { expect, test } from "vitest";
import { declaredLicence, isPermissive } from "../../scripts/build/licences.mjs";

test.each(["MIT", "Apache-2.0", "(MIT OR GPL-3.0-only)", "GPL-2.0-only OR BSD-3-Clause", "MIT AND ISC"])(
  "%s is permissive",
  (licence) => {
    expect(isPermissive(licence)).toBe(true);
  },
);

test.each([
  undefined,
  "",
  "GPL-3.0-only",
  "AGPL-3.0-or-later",
  "MIT AND GPL-3.0-only",
  "SEE LICENSE IN x",
  "UNLICENSED",
  "BUSL-1.1",
  "mit",
])("%s is not", (licence) => {
  expect(isPermissive(licence)).toBe(false);
});

test("the declared licence is read from both spellings of the field", () => {
  expect(declaredLicence({ license: "MIT" })).toBe("MIT");
  expect(declaredLicence({ licenses: [{ type: "MIT" }, { type: "GPL-2.0" }] })).toBe("MIT OR GPL-2.0");
  expect(declaredLicence({})).toBeUndefined();
});
