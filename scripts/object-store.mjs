// `npm run s3:up [-- --port N]`: a local S3-compatible server (moto) until it is interrupted; its address on stdout. What
// it holds is gone when it ends. Uses the command that WINNOW_MOTO names, that of node_modules/.cache/winnow/moto-venv, or
// the first on the PATH; where there is none it makes that virtual environment first. `--install` only makes it.
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { OBJECT_STORE } from "./object-store/find.mjs";
import { findCommand } from "./python/find.mjs";
import { serveUntilEnd } from "./python/serve.mjs";
import { installCommand } from "./python/venv.mjs";

const HOST = "127.0.0.1";
const BUCKET = "winnow";
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** @param {string} port */
function usage(port) {
  return `Ctrl-C ends it, and what it holds is gone then. In another terminal:
export AWS_ENDPOINT_URL=http://${HOST}:${port} AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
curl -X PUT -H 'Authorization: AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request' $AWS_ENDPOINT_URL/${BUCKET}
winnow copy . s3://${BUCKET}/corpus`;
}

try {
  const { values } = parseArgs({
    options: { port: { type: "string", default: "5000" }, install: { type: "boolean" } },
  });
  const found = values.install ? undefined : findCommand(root, process.env, OBJECT_STORE);
  if (found === undefined) console.error("s3: installing moto; this takes a minute…");
  const lists = [{ file: "python/object-store/requirements.txt" }];
  const command = found ?? installCommand(root, { ...OBJECT_STORE, label: "moto", lists });
  if (values.install) console.error(`s3: ${command}`);
  else {
    await serveUntilEnd({
      ...{ label: "s3", command, args: ["-H", HOST, "-p", values.port], note: usage(values.port) },
      address: `http://${HOST}:${values.port}`,
      heartbeat: "/moto-api/",
    });
  }
} catch (error) {
  console.error(`s3: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
