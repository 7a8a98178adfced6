import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { OBJECT_STORE } from "../../scripts/object-store/find.mjs";
import { findCommand } from "../../scripts/python/find.mjs";

const READY_TRIES_MAX = 600;
const READY_POLL_MS = 50;

/** The command of a server that speaks S3; undefined where there is none. `root` is that of the checkout. */
export function objectServerCommand(root: string): string | undefined {
  return findCommand(root, process.env, OBJECT_STORE);
}

/** Of a request that says who asks for which service, without proving it: the server does not check it until told to. */
const askedFor = (service: string): Record<string, string> => ({
  authorization: `AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/${service}/aws4_request`,
});

export interface ObjectServer {
  readonly address: string;
  /** What the environment has to hold to reach it; any keys do. */
  readonly environment: Readonly<Record<string, string>>;
  makeBucket(name: string): Promise<void>;
  /** From now on the server checks signatures. Resolves with an environment whose keys it takes. */
  checkSignatures(): Promise<Readonly<Record<string, string>>>;
  stop(): Promise<void>;
}

/** Starts a server with nothing in it. */
export async function startObjectServer(command: string): Promise<ObjectServer> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(command, ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  await ready(address, child);
  const environment = {
    AWS_ENDPOINT_URL: address,
    AWS_ACCESS_KEY_ID: "any",
    AWS_SECRET_ACCESS_KEY: "any",
    AWS_REGION: "us-east-1",
  };
  return {
    address,
    environment,
    async makeBucket(name) {
      await asked(`${address}/${name}`, { method: "PUT", headers: askedFor("s3") });
    },
    async checkSignatures() {
      const keys = await makeKeys(address);
      await asked(`${address}/moto-api/reset-auth`, { method: "POST", body: "0" });
      return { ...environment, ...keys };
    },
    async stop() {
      if (child.exitCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** A user that may do anything with S3. */
async function makeKeys(address: string): Promise<Record<string, string>> {
  const iam = async (parameters: Record<string, string>): Promise<string> => {
    const body = new URLSearchParams({ Version: "2010-05-08", UserName: "winnow", ...parameters });
    return (await asked(address, { method: "POST", headers: askedFor("iam"), body })).text();
  };
  await iam({ Action: "CreateUser" });
  const made = await iam({ Action: "CreateAccessKey" });
  const statement = { Effect: "Allow", Action: "s3:*", Resource: "*" };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await iam({ Action: "PutUserPolicy", PolicyName: "all", PolicyDocument: policy });
  const textOf = (name: string): string => new RegExp(`<${name}>([^<]+)</${name}>`).exec(made)?.[1] ?? "";
  return { AWS_ACCESS_KEY_ID: textOf("AccessKeyId"), AWS_SECRET_ACCESS_KEY: textOf("SecretAccessKey") };
}

async function asked(url: string, init: RequestInit): Promise<Response> {
  const answer = await fetch(url, init);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return answer;
}

async function ready(address: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < READY_TRIES_MAX && child.exitCode === null; tries++) {
    const isUp = await fetch(`${address}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await delay(READY_POLL_MS);
  }
  throw new Error(`No object store answers at ${address}.`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const place = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (place === null || typeof place === "string") throw new Error("no port");
  return place.port;
}
