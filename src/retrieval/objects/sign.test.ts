import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { EMPTY_SHA256, encodePart, signedHeaders } from "./sign.ts";

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "Examples: Signature Calculations". */
const access = {
  region: "us-east-1",
  keyId: "AKIAIOSFODNN7EXAMPLE",
  secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  sessionToken: undefined,
};
const nowMs = Date.parse("2013-05-24T00:00:00Z");
const host = "https://examplebucket.s3.amazonaws.com";

const examples = [
  {
    name: "GET of a range",
    request: { method: "GET", url: `${host}/test.txt`, headers: { range: "bytes=0-9" }, body: "" },
    signed: "host;range;x-amz-content-sha256;x-amz-date",
    signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  },
  {
    name: "PUT of a key that is encoded",
    request: {
      method: "PUT",
      url: `${host}/${encodePart("test$file.text")}`,
      headers: { date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
      body: "Welcome to Amazon S3.",
    },
    signed: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  {
    name: "a query without a value",
    request: { method: "GET", url: `${host}/?lifecycle=`, headers: {}, body: "" },
    signed: "host;x-amz-content-sha256;x-amz-date",
    signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
  },
  {
    name: "a query in another order",
    request: { method: "GET", url: `${host}/?prefix=J&max-keys=2`, headers: {}, body: "" },
    signed: "host;x-amz-content-sha256;x-amz-date",
    signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
  },
];

test.each(examples)("signs as AWS's example does: $name", ({ request, signed, signature }) => {
  const { method, url, headers, body } = request;
  const sha256 = createHash("sha256").update(body).digest("hex");
  const { authorization } = signedHeaders({ method, url: new URL(url), headers, sha256 }, access, nowMs);
  expect(authorization).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signed},Signature=${signature}`,
  );
});

test("a session token is sent and signed", () => {
  const url = new URL(`${host}/x`);
  const request = { method: "GET", url, headers: {}, sha256: EMPTY_SHA256 };
  const headers = signedHeaders(request, { ...access, sessionToken: "token" }, nowMs);
  expect(headers["x-amz-security-token"]).toBe("token");
  expect(headers["authorization"]).toContain("x-amz-date;x-amz-security-token,");
});
