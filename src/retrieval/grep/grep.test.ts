import { describeGrepContract } from "../../testing/grep-contract.ts";

describeGrepContract("ripgrep");
describeGrepContract("re2");
