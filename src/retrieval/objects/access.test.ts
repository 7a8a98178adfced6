import { expect, test } from "vitest";
import { objectAccess } from "./access.ts";

const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" };

test("reads the environment as AWS's own tools do", () => {
  expect(objectAccess(keys)).toEqual({
    endpoint: undefined,
    region: "us-east-1",
    keyId: "id",
    secret: "secret",
    sessionToken: undefined,
  });
  const more = {
    ...keys,
    AWS_SESSION_TOKEN: " token ",
    AWS_REGION: "eu-central-1",
    AWS_ENDPOINT_URL: "https://other.example.org",
    AWS_ENDPOINT_URL_S3: "https://objects.example.org/s3/",
  };
  const access = objectAccess(more);
  expect(access).toMatchObject({ region: "eu-central-1", sessionToken: "token" });
  expect(access.endpoint?.href).toBe("https://objects.example.org/s3");
});

test.each([
  [{ AWS_SECRET_ACCESS_KEY: "secret" }, "AWS_ACCESS_KEY_ID holds nothing"],
  [{ ...keys, AWS_SECRET_ACCESS_KEY: "" }, "AWS_SECRET_ACCESS_KEY holds nothing"],
  [{ ...keys, AWS_SECRET_ACCESS_KEY: "my secret\n2" }, "AWS_SECRET_ACCESS_KEY holds no key"],
  [{ ...keys, AWS_REGION: "eu central" }, "AWS_REGION"],
  [{ ...keys, AWS_ENDPOINT_URL: "objects.example.org" }, "AWS_ENDPOINT_URL"],
  [{ ...keys, AWS_ENDPOINT_URL: "https://u:p@objects.example.org" }, "holds a user"],
  [{ ...keys, AWS_ENDPOINT_URL: "http://objects.example.org" }, "plain http"],
  [{ ...keys, AWS_ENDPOINT_URL: "http://objects.example.org", AWS_ALLOW_HTTP: "no" }, "plain http"],
])("refuses %o", (environment, message) => {
  const refused = expect.objectContaining({ code: "invalid_argument", message: expect.stringContaining(message) });
  expect(() => objectAccess(environment)).toThrowError(refused);
  expect(() => objectAccess(environment)).not.toThrowError(/my secret/);
});

test.each([
  { AWS_ENDPOINT_URL: "http://127.0.0.1:9000" },
  { AWS_ENDPOINT_URL: "http://localhost:9000" },
  { AWS_ENDPOINT_URL: "http://objects.example.org", AWS_ALLOW_HTTP: "true" },
])("takes plain http from %o", (environment) => {
  expect(objectAccess({ ...keys, ...environment }).endpoint?.protocol).toBe("http:");
});
