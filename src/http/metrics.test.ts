import { expect, test } from "vitest";
import { addProcessMetrics, Metrics } from "./metrics.ts";

test("counts, times and looked-up values stand in Prometheus's text format", () => {
  const metrics = new Metrics();
  metrics.runsEnded.add({ stop_reason: "finished" });
  metrics.runsEnded.add({ stop_reason: "finished" });
  metrics.refused.add({ code: 'a"b\\c\nd' });
  metrics.find.observe(0.02);
  metrics.find.observe(99);
  metrics.gauge("winnow_runs_active", "Runs.", () => 3);
  addProcessMetrics(metrics);
  const text = metrics.text();
  expect(text).toContain('\nwinnow_runs_ended_total{stop_reason="finished"} 2\n');
  expect(text).toContain('winnow_http_refused_total{code="a\\"b\\\\c\\nd"} 1\n');
  expect(text).toContain('winnow_find_seconds_bucket{le="0.01"} 0\nwinnow_find_seconds_bucket{le="0.025"} 1\n');
  expect(text).toContain('winnow_find_seconds_bucket{le="60"} 1\nwinnow_find_seconds_bucket{le="+Inf"} 2\n');
  expect(text).toContain("winnow_find_seconds_sum 99.02\nwinnow_find_seconds_count 2\n");
  expect(text).toContain("# TYPE winnow_runs_active gauge\nwinnow_runs_active 3\n");
  for (const line of text.trimEnd().split("\n")) {
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{.*\})? [\d.e+-]+)$/);
  }
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
});
