/** Limits on code: the first is what we aim at and is told, the second fails. No file is excepted. */
const FILE_LINES = { aim: 400, max: 600 };
const FUNCTION_LINES = { aim: 70, max: 100 };

/**
 * @param {readonly import("./modules.mjs").Module[]} modules
 * @returns {{ problems: string[], warnings: string[] }}
 */
export function findOversized(modules) {
  /** @type {string[]} */ const problems = [];
  /** @type {string[]} */ const warnings = [];
  const judge = (
    /** @type {string} */ what,
    /** @type {number} */ lines,
    /** @type {{ aim: number, max: number }} */ limit,
  ) => {
    if (lines > limit.max) problems.push(`${what} has ${lines} lines; the limit is ${limit.max}.`);
    else if (lines > limit.aim) warnings.push(`${what} has ${lines} lines; the aim is ${limit.aim}.`);
  };
  for (const module of modules) {
    judge(module.path, module.lines, FILE_LINES);
    for (const found of module.functions)
      judge(`${module.path}:${found.line} ${found.name}`, found.lines, FUNCTION_LINES);
  }
  return { problems, warnings };
}
